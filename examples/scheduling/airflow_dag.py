"""A DAG of Airflow 3 that does what is due every ten minutes; put it into the folder of DAGs."""

from __future__ import annotations

import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="export_jobs",
    schedule="*/10 * * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,  # one run does all that is due
    max_active_runs=1,  # the jobs are locked; a second run would fail
) as dag:
    BashOperator(
        task_id="export_jobs",
        bash_command="cd /srv/models && .venv/bin/python -m hub_estimator.export_jobs "
        "--gin_file=jobs.gin --once",
        retries=1,  # what failed is tried again by the next run
        execution_timeout=datetime.timedelta(hours=3),
    )
