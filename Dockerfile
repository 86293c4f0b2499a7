# One image for every Airflow service of docker-compose.yaml.
FROM python:3.12-slim-bookworm

# LightGBM's OpenMP runtime is the one library that its wheel does not carry.
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/firmament

# The lock alone decides what is installed; uv comes at the version that wrote it.
COPY requirements.txt requirements-dev.txt ./
RUN pip install --no-cache-dir "$(grep -o '^uv==[^ ]*' requirements-dev.txt)" \
    && uv pip install --system --no-cache --requirement requirements.txt \
    && rm requirements-dev.txt

COPY dags dags
COPY plugins plugins
COPY include include
COPY docs/runbook.md docs/runbook.md

RUN useradd --uid 50000 --create-home firmament \
    && install --directory --owner firmament --group firmament --mode 0700 /var/lib/firmament
USER firmament
VOLUME /var/lib/firmament

ENTRYPOINT ["python", "-m"]
CMD ["airflow", "version"]
