# An example; it has not been built where mien is developed.
#   docker build -t mien . && docker run --rm -p 8000:8000 -e MIEN_TOKEN=... mien
FROM python:3.13-slim

COPY . /src
RUN pip install --no-cache-dir "/src[web,video]" && rm -rf /src \
    && useradd --system --no-create-home mien
USER mien

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
# MIEN_TOKEN must be set: the service listens to other machines.
CMD ["mien", "serve", "--host", "0.0.0.0"]
