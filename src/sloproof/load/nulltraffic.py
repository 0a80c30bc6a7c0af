"""The traffic of a calibration, a Locust file: requests that ask nothing of a server that does nothing."""

from locust import FastHttpUser, task


class Nobody(FastHttpUser):
    """Somebody who wants nothing."""

    @task
    def ask(self) -> None:
        """Send the smallest request there is."""
        self.client.get("/")
