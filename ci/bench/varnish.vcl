vcl 4.1;
# Varnish in ci/bench/proxies and ci/bench/wordpress. @NAME@ is filled in by servers.py.
backend origin {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
    # A page of the slowest site takes less.
    .first_byte_timeout = 60s;
}

sub vcl_recv {
    return (@RECEIVED@);
}

sub vcl_backend_response {
    set beresp.do_gzip = @COMPRESS@;
}
