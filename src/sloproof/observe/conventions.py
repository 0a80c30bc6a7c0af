"""The names of metrics and labels that a subject exports and sloproof reads."""

from __future__ import annotations

METHOD_LABEL = "http_request_method"
ROUTE_LABEL = "http_route"
STATUS_LABEL = "http_response_status_code"
BUCKET_LABEL = "le"
PID_LABEL = "pid"
STATE_LABEL = "state"

JOB_COMPLETED = "job_completed"  # the event of a job's end, which clients see in their ledger
JOBS_IN_STATE = "jobs_in_state"
UNFINISHED_STATES = ("queued", "running")
WORKER_REQUESTS = "service_worker_requests"
PROCESS_CPU = "process_cpu_seconds_total"
BUILD_INFO = "service_build_info"
LOOP_LAG = "event_loop_lag_seconds"
JOB_WAIT = "job_wait_seconds"
JOB_END_TO_END = "job_end_to_end_seconds"
