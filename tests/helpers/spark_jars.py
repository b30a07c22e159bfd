"""Spark's connector to Kafka, from Maven in a cache folder, or in a folder named by SPARK_KAFKA_JARS."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from kafka_server import PLUGIN, skip

ON_BOARD = ("hadoop-", "scala-library", "slf4j-", "spark-sql_")
"""Spark has these itself."""


@cache
def spark_jars(python: str) -> str:
    """The jars for the Spark of a Python, as `spark.jars` expects them; without them, the test is skipped."""
    asked = [python, "-c", "import pyspark; print(pyspark.__version__)"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    folder = Path(os.environ.get("SPARK_KAFKA_JARS") or _fetched(version))
    return ",".join(str(each) for each in sorted(folder.glob("*.jar")) if not each.name.startswith(ON_BOARD))


def _fetched(version: str) -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgewarden-tests" / f"spark-{version}"
    if not (base / "whole").exists():
        if shutil.which("mvn") is None:
            skip("Maven isn't installed, and SPARK_KAFKA_JARS isn't set")
        base.mkdir(parents=True, exist_ok=True)
        (base / "pom.xml").write_text(
            f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>spark</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.spark</groupId><artifactId>spark-sql-kafka-0-10_2.13</artifactId><version>{version}</version>
</dependency></dependencies></project>"""
        )
        command = ["mvn", "-q", "-B", PLUGIN, f"-DoutputDirectory={base / 'jars'}", "-DincludeScope=runtime"]
        if subprocess.run(command, cwd=base, capture_output=True, timeout=600, check=False).returncode:
            skip(f"Spark's connector to Kafka, {version}, can't be had through Maven")
        (base / "whole").touch()
    return base / "jars"
