#!/bin/sh
# Le portail possède sa base et rien d’autre : un superutilisateur passerait outre les garde-fous.
set -eu
psql -v ON_ERROR_STOP=1 -v secret="$PORTAIL_PASSWORD" -U "$POSTGRES_USER" <<'SQL'
CREATE ROLE portail LOGIN NOSUPERUSER PASSWORD :'secret';
CREATE DATABASE portail OWNER portail;
SQL
