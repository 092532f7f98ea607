#!/bin/sh
# granian: the fastest of the servers; it takes no chunked uploads (they are answered 411).
#
# Run it with BACKEND_URL, AUTH_URL and AUTH_SECRET set: sh examples/servers/granian.sh [further options]
# It needs pip install 'wsgiproxy_hs[granian]'. What is given last counts: sh examples/servers/granian.sh --port=9000

set -- --workers-kill-timeout=30 "$@"            # what is under way may finish when the server is stopped
set -- --http1-header-read-timeout=10000 "$@"    # milliseconds; a client that sends half a head is let go
set -- --backpressure=256 "$@"                   # no more requests are taken than there are threads for them
set -- --blocking-threads=256 "$@"               # a slow upstream, and an event stream, holds one of them
set -- --workers="$(getconf _NPROCESSORS_ONLN)" "$@" # Python runs one thread of a process at a time
set -- --no-ws "$@"                              # WSGI knows no web sockets
set -- --http=1 "$@"                             # HTTP/2 is for the server in front, which has TLS
set -- --host=127.0.0.1 --port=8080 "$@"         # a server that buffers requests, such as nginx, belongs in front
set -- --interface=wsgi "$@"                     # its own default is another interface
exec granian "$@" wsgiproxy_hs.wsgi:application
