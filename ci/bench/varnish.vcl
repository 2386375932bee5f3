vcl 4.1;
# Varnish in ci/bench/proxies. @NAME@ is filled in by servers.py.
backend origin {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
}

sub vcl_recv {
    return (@RECEIVED@);
}
