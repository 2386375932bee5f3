//! PHP's FastCGI: php-fpm, started by the proxy or running already.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::applications::installed;
use crate::processes::{lives, proxy_with};
use crate::support::{Conn, Proxy, field, status};

/// Answers by its query.
const INDEX: &str = r#"<?php
switch ($_GET['do'] ?? '') {
case 'variables':
    unset($_SERVER['REQUEST_TIME'], $_SERVER['REQUEST_TIME_FLOAT'], $_SERVER['argv'], $_SERVER['argc']);
    ksort($_SERVER);
    foreach ($_SERVER as $name => $value) echo "$name=$value\n";
    break;
case 'body':
    $body = file_get_contents('php://input');
    echo strlen($body), ' ', md5($body), ' ', $_SERVER['CONTENT_TYPE'] ?? 'no type';
    break;
case 'missing':
    http_response_code(404);
    header('X-Two: 1'); header('X-Two: 2', false);
    echo 'not here';
    break;
case 'elsewhere': header('Location: /there'); break;
case 'large':
    for ($i = 0; $i < 500; $i++) echo str_repeat(chr(97 + $i % 26), 10000);
    break;
case 'length': header('Content-Length: 4'); echo 'four'; break;
case 'complaint': error_log("first \x1b line\nsecond line"); echo 'said'; break;
case 'crash':
    echo str_repeat('x', 100000); flush();
    posix_kill(getmypid(), 9);
    sleep(60);
    break;
default: echo 'index for ', $_SERVER['REQUEST_URI'], ' by ', getmypid();
}
"#;

const FPM: &str = "
[global]
error_log = DIR/fpm.log
daemonize = no
[www]
user = www-data
group = www-data
listen = LISTEN
pm = static
pm.max_children = 2
clear_env = no
php_admin_value[error_log] =
php_admin_flag[log_errors] = on
php_admin_value[memory_limit] = 64M
";

const KEYS: &str = "      protocol: fastcgi\n      root: DIR/www\n";

/// The files of a site, which the server may read whoever it runs as.
fn prepare(proxy: &Proxy) {
    let www = proxy.file("www");
    std::fs::create_dir_all(www.join("admin")).unwrap();
    std::fs::write(www.join("index.php"), INDEX).unwrap();
    std::fs::write(
        www.join("admin/index.php"),
        "<?php echo 'admin ', $_SERVER['PATH_INFO'] ?? '-';",
    )
    .unwrap();
    let readable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(proxy.directory.path(), readable).unwrap();
}

/// A proxy whose site is php-fpm, started on demand.
fn on_demand() -> Option<Proxy> {
    let fpm = installed("/usr/sbin/php-fpm8.2")?;
    let command = format!("{fpm} --nodaemonize --fpm-config DIR/fpm.conf");
    let keys = format!("{KEYS}      listen: socket\n");
    let conf = FPM.replace("LISTEN", "${SOCKET}");
    let proxy = proxy_with(&command, &keys, &[("fpm.conf", &conf)]);
    prepare(&proxy);
    Some(proxy)
}

/// A whole answer, read to the connection's end.
fn get(proxy: &Proxy, request: &str) -> (String, String) {
    let mut client = Conn::connect(proxy.address);
    client.send(request);
    let head = client.head();
    (head, client.rest())
}

fn ask(proxy: &Proxy, target: &str) -> (String, String) {
    get(proxy, &format!("GET {target} HTTP/1.0\r\nHost: a.test\r\n\r\n"))
}

#[test]
fn php_is_started_on_demand_and_stopped_with_its_workers() {
    let Some(mut proxy) = on_demand() else { return };
    let (head, body) = ask(&proxy, "/a/path?q=1");
    assert_eq!(status(&head), 200, "{head}");
    let (text, worker) = body.rsplit_once(' ').unwrap();
    assert_eq!(text, "index for /a/path?q=1 by");
    assert!(lives(worker));
    let log = proxy.stop_and_read("upstream.log");
    assert!(!log.contains(&format!("PID: {worker}\n")), "a worker answers, not the master: {log}");
    assert!(!lives(worker));
}

/// What its pages name relative to them is looked for in the folder only where its address ends with `/`.
#[test]
fn a_folder_runs_its_own_script_at_an_address_that_ends_with_a_slash() {
    let Some(proxy) = on_demand() else { return };
    for (target, location) in
        [("/admin", "/admin/"), ("/admin?a=/b", "/admin/?a=/b"), ("//%61dmin", "/%61dmin/")]
    {
        let (head, _) = ask(&proxy, target);
        assert_eq!((status(&head), field(&head, "location")), (308, Some(location)), "{target}");
        assert_eq!(ask(&proxy, location).1, "admin ", "{target}");
    }
}

#[test]
fn php_is_told_what_a_web_server_tells() {
    let Some(proxy) = on_demand() else { return };
    let (_, body) = get(
        &proxy,
        "GET /index.php/more%20path?do=variables&x=%20 HTTP/1.0\r\nHost: a.test:8080\r\nProxy: evil\r\n\
         X_Odd: 1\r\nX-Even: a\r\nX-Even: b\r\nCookie: c=1\r\nCookie: d=2\r\nUser-Agent: \"\\é\r\n\r\n",
    );
    let dir = proxy.directory.path().to_str().unwrap();
    let of_request = |line: &&str| {
        let name = line.split('=').next().unwrap_or_default();
        !matches!(name, "HOME" | "LANG" | "PATH" | "SOCKET" | "USER")
    };
    let told: Vec<&str> = body.lines().filter(of_request).collect();
    insta::assert_snapshot!(told.join("\n").replace(dir, "DIR"));
}

#[test]
fn bodies_reach_php_whole_with_a_length_and_without() {
    let Some(proxy) = on_demand() else { return };
    let body = "0123456789abcdef".repeat(20_000);
    let ask = |head: &str, body: &str| {
        let head =
            format!("POST /?do=body HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{head}\r\n");
        let (_, answer) = get(&proxy, &format!("{head}{body}"));
        answer.lines().nth(1).unwrap().to_owned()
    };
    let sum = "320000 71cbcc1f2b4a6d4d";
    let plain = ask(&format!("Content-Type: a/b\r\nContent-Length: {}\r\n", body.len()), &body);
    assert!(plain.starts_with(&sum[..6]) && plain.ends_with(" a/b"), "{plain}");
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let chunked = ask("Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n", &chunks);
    assert_eq!(chunked, plain);
    let expected = "Content-Type: a/b\r\nExpect: 100-continue\r\nContent-Length: 3\r\n";
    let head =
        format!("POST /?do=body HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{expected}\r\n");
    let mut client = Conn::connect(proxy.address);
    client.send(head);
    assert_eq!(status(&client.head()), 100);
    client.send("abc");
    assert_eq!(status(&client.head()), 200);
    assert!(client.rest().contains("3 900150983cd24fb0d6963f7d28e17f72 a/b"));
}

#[test]
fn an_answer_of_php_is_an_answer_of_http() {
    let Some(proxy) = on_demand() else { return };
    let (head, body) = ask(&proxy, "/?do=missing");
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    assert!(head.contains("X-Two: 1\r\n") && head.contains("X-Two: 2\r\n"), "{head}");
    assert!(!head.contains("Status:"), "{head}");
    assert_eq!(body, "not here");
    let (head, _) = ask(&proxy, "/?do=elsewhere");
    assert_eq!((status(&head), field(&head, "location")), (302, Some("/there")));
    let (head, body) = ask(&proxy, "/?do=length");
    assert_eq!((field(&head, "content-length"), body.as_str()), (Some("4"), "four"));
    let (_, body) = ask(&proxy, "/?do=large");
    assert_eq!(body.len(), 5_000_000);
    let head =
        get(&proxy, "HEAD /?do=length HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    assert_eq!((field(&head.0, "content-length"), head.1.as_str()), (Some("4"), ""));
    // Two on one connection: the first one's end is seen.
    let mut client = Conn::connect(proxy.address);
    for _ in 0..2 {
        client.send("GET /?do=length HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(client.response().1, "four");
    }
    let (_, body) = ask(&proxy, "/admin/");
    assert_eq!(body, "admin ");
    let (head, _) = ask(&proxy, "/%00.php");
    assert_eq!(status(&head), 400);
}

#[test]
fn an_answer_that_php_does_not_end_is_not_taken_for_whole() {
    let Some(proxy) = on_demand() else { return };
    let request = "GET /?do=crash HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    let (head, body) = get(&proxy, request);
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
    assert!(!body.ends_with("0\r\n\r\n"));
}

#[test]
fn what_php_complains_of_is_in_the_upstreams_log() {
    let Some(mut proxy) = on_demand() else { return };
    assert_eq!(ask(&proxy, "/?do=complaint").1, "said");
    let log = proxy.stop_and_read("upstream.log");
    assert!(log.contains("] STDERR: PHP message: first \\x1B line\n"), "{log}");
    assert!(log.contains("] STDERR: second line"), "{log}");
}

/// A php-fpm that runs already.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

#[test]
fn php_that_runs_already_is_asked_by_its_url() {
    let Some(fpm) = installed("/usr/sbin/php-fpm8.2") else { return };
    let conf = FPM.replace("LISTEN", "DIR/fpm.sock");
    let text = "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    upstream: \"fastcgi://unix:DIR/fpm.sock:DIR/www\"\n";
    let proxy = Proxy::from_yaml_and(text, &[("fpm.conf", &conf)]);
    prepare(&proxy);
    assert_eq!(status(&ask(&proxy, "/").0), 502);
    let conf = proxy.file("fpm.conf");
    let mut command = Command::new(fpm);
    let child = command.args(["--nodaemonize", "--fpm-config"]).arg(conf).spawn().unwrap();
    let _running = Running(child);
    let end = Instant::now() + Duration::from_secs(10);
    while std::os::unix::net::UnixStream::connect(proxy.file("fpm.sock")).is_err() {
        assert!(Instant::now() < end, "php-fpm does not listen");
        std::thread::yield_now();
    }
    let (head, body) = ask(&proxy, "/x");
    assert_eq!(status(&head), 200);
    assert!(body.starts_with("index for /x by "), "{body}");
}
