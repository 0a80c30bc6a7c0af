"""Open-loop load on Locust, made by a process of its own; ``process`` is the way in, files are the way out.

Importing this package imports no Locust: only the generator's process is monkey-patched by gevent.
"""
