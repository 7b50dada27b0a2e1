export NEKO_MEMBER_MULTIUSER_USER_PASSWORD=u
ADMIN=a
NEKO_MEMBER_MULTIUSER_ADMIN_PASSWORD="$ADMIN" sudo neko serve --server.bind=:8080 --desktop.screen 1280x720@60 \
  --session.merciful_reconnect=false -d --webrtc.nat1to1 192.0.2.1,192.0.2.2
