# The one image that every function runs; FUNCTION_TARGET says which one an instance is.
# What is copied here is what decides the image's tag (infra/image.py) and what tests/infra/test_image.py starts.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

COPY requirements.txt ./
RUN pip install -r requirements.txt

COPY main.py ./
COPY functions ./functions
COPY shared ./shared

# Compiled once here instead of at every cold start.
RUN python -m compileall -q -o 0 /usr/local/lib/python3.11/site-packages /app \
    && useradd --system --uid 10001 anchor
USER anchor

ENV FUNCTION_USE_ASGI=1 \
    PORT=8080

# Cloud Run watches the port; there is no Docker daemon to ask for health.
#checkov:skip=CKV_DOCKER_2:Cloud Run has its own probes and ignores HEALTHCHECK
CMD ["functions-framework", "--source", "main.py", "--signature-type", "http"]
