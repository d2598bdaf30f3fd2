#!/bin/sh
# Un stockage compatible S3 pour une machine : une seule clé, aucun accès anonyme, rien d’exposé hors du réseau interne.
set -eu
umask 077
cat > /tmp/s3.json <<JSON
{"identities": [{"name": "portail", "credentials": [{"accessKey": "$CLE", "secretKey": "$SECRET"}],
                 "actions": ["Admin", "Read", "Write", "List"]}]}
JSON
exec weed server -dir=/data -ip.bind=0.0.0.0 -s3 -s3.port=8333 -s3.config=/tmp/s3.json -volume.max=0
