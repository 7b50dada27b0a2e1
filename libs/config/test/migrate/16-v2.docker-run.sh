#!/bin/sh
docker run -d --rm --name neko \
  --shm-size=1gb -p 8080:8080 -p 59000-59100:59000-59100/udp \
  -v ./neko/data:/home/neko \
  -e NEKO_SCREEN=1920x1080@30 \
  -e 'NEKO_PASSWORD=a $b' \
  --env NEKO_PASSWORD_ADMIN="x y" \
  --env=NEKO_EPR=59000-59100 -e NEKO_NAT1TO1=127.0.0.1 \
  m1k1o/neko:microsoft-edge # a comment
