"""Prove that the stack of docker-compose.yml works on this machine: python -m deploy.stack_check."""
