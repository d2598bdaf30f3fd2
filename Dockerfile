# Une image pour le web, les tâches et l’horloge ; la commande dit lequel.
FROM python:3.13-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 portail

WORKDIR /portail
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements/base.txt

COPY manage.py ./
COPY config config
COPY socle socle
COPY comptes comptes
COPY documents documents
COPY courriers courriers
COPY partenaires partenaires
COPY agrements agrements
COPY financements financements
COPY controles controles
COPY accueil accueil
COPY templates templates
COPY static static

ENV DJANGO_SETTINGS_MODULE=config.settings.prod PYTHONUNBUFFERED=1 STATIC_ROOT=/portail/static_root MEDIA_ROOT=/fichiers
RUN SECRET_KEY=construction ALLOWED_HOSTS=construction PORTAIL_ADRESSE=https://construction \
    COURRIEL_URL=smtp://construction:25 python manage.py collectstatic --noinput --skip-checks \
    && mkdir /fichiers && chown portail /fichiers

USER portail
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "-b", "0.0.0.0:8000", "-w", "3", "-k", "gthread", "--threads", "4", "--preload", "-t", "60"]
