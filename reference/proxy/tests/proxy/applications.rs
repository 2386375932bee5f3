//! Real applications as upstreams. One that is not installed is left out, with a line that says so.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::processes::{lives, proxy_with};
use crate::support::{field, status};

const WSGI: &str = r"
import os
def app(environ, start_response):
    body = str(os.getpid()).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
if __name__ == '__main__':
    from wsgiref.simple_server import make_server
    make_server(os.environ['HOST'], int(os.environ['PORT']), app).serve_forever()
";

const NODE: &str = "
require('http').createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end(String(process.pid));
}).listen(process.env.SOCKET || process.env.PORT, process.env.HOST);
";

const APACHE: &str = "
ServerRoot DIR
ServerName localhost
PidFile DIR/httpd.pid
Listen 127.0.0.1:${PORT}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User www-data
Group www-data
ErrorLog /dev/stderr
DocumentRoot DIR/htdocs
";

/// The program, if it is there; where everything must be tried it must.
pub(crate) fn installed(place: &'static str) -> Option<&'static str> {
    let found = Some(place).filter(|place| Path::new(place).exists());
    if found.is_none() {
        let required = std::env::var_os("EDGEPROOF_REQUIRE").is_some_and(|it| it == "1");
        assert!(!required, "{place} is not installed: `ci/setup` installs it");
        eprintln!("left out: {place} is not installed");
    }
    found
}

#[test]
fn a_wsgi_application_under_its_own_server() {
    let Some(python) = installed("/usr/bin/python3") else { return };
    let mut proxy = proxy_with(&format!("{python} DIR/app.py"), "", &[("app.py", WSGI)]);
    let (head, pid) = proxy.get("/", "");
    assert_eq!((status(&head), field(&head, "content-type")), (200, Some("text/plain")));
    assert!(lives(&pid));
    // It logs each request on standard error.
    let log = proxy.stop_and_read("upstream.log");
    let line = format!("[{pid}] STDERR: 127.0.0.1 - - [");
    assert!(log.contains(&line) && log.contains(r"\x22GET / HTTP/1.1\x22 200"), "{log}");
    assert!(!lives(&pid));
}

#[test]
fn a_wsgi_application_under_gunicorn_on_a_socket() {
    let Some(gunicorn) = installed("/usr/bin/gunicorn") else { return };
    let command = format!("{gunicorn} --workers 2 --bind unix:{{socket}} app:app");
    let mut proxy = proxy_with(&command, "      directory: DIR\n", &[("app.py", WSGI)]);
    let (head, worker) = proxy.get("/", "");
    assert_eq!(status(&head), 200);
    let log = proxy.stop_and_read("upstream.log");
    assert!(!log.contains(&format!("PID: {worker}\n")), "a worker answers, not the master: {log}");
    assert!(!lives(&worker));
}

#[test]
fn a_wsgi_application_under_uwsgi_and_all_its_workers() {
    let Some(uwsgi) = installed("/usr/bin/uwsgi") else { return };
    let command = format!(
        "{uwsgi} --plugin python3 --http-socket {{host}}:{{port}} --master --die-on-term --processes 2 --module app:app"
    );
    let mut proxy = proxy_with(&command, "      directory: DIR\n", &[("app.py", WSGI)]);
    let (head, worker) = proxy.get("/", "");
    assert_eq!(status(&head), 200);
    assert!(lives(&worker));
    // It speaks of itself on standard error.
    let log = proxy.stop_and_read("upstream.log");
    assert!(log.contains("STDERR: *** Starting uWSGI"), "{log}");
    assert!(!log.contains(&format!("PID: {worker}\n")), "a worker answers, not the master: {log}");
    assert!(!lives(&worker));
}

#[test]
fn a_service_of_node() {
    let Some(node) = installed("/usr/bin/node") else { return };
    for listen in ["port", "socket"] {
        let keys = format!("      listen: {listen}\n");
        let mut proxy = proxy_with(&format!("{node} DIR/app.js"), &keys, &[("app.js", NODE)]);
        let (head, pid) = proxy.get("/", "");
        assert_eq!(status(&head), 200, "{listen}");
        let log = proxy.stop_and_read("upstream.log");
        assert!(log.contains(&format!("Upstream started PID: {pid}\n")), "{log}");
        assert!(!lives(&pid));
    }
}

#[test]
fn apache_and_all_its_children() {
    let Some(apache) = installed("/usr/sbin/apache2") else { return };
    let command = format!("{apache} -DFOREGROUND -f DIR/httpd.conf");
    let mut proxy = proxy_with(&command, "", &[("httpd.conf", APACHE)]);
    // As root, its children become somebody else.
    let readable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(proxy.directory.path(), readable).unwrap();
    std::fs::create_dir(proxy.file("htdocs")).unwrap();
    std::fs::write(proxy.file("htdocs/page.txt"), "a page").unwrap();
    let (head, body) = proxy.get("/page.txt", "");
    assert_eq!((status(&head), body.as_str()), (200, "a page"));
    let pid = std::fs::read_to_string(proxy.file("httpd.pid")).unwrap().trim().to_owned();
    assert!(lives(&pid));
    let log = proxy.stop_and_read("upstream.log");
    assert!(log.ends_with(&format!("Upstream stopped PID: {pid}\n")), "{log}");
    assert!(!lives(&pid));
}
