//! The targets of ci/targets. All must load; those that can be had here are started and asked.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use edgeproof_scenario::model::{AccessLog, CacheSite, Paranoia, SiteClock, SiteSpec, WafSite};
use edgeproof_target::{RunningTarget, SiteRequest, StartOptions, TargetSpec};

use crate::support::{example, load};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ci/targets").join(name)
}

/// The target, if it can be had here; else says why not.
fn here(name: &str) -> Option<TargetSpec> {
    let spec = load(&folder(name));
    match spec.available() {
        Ok(()) => Some(spec),
        Err(reason) => {
            eprintln!("{name} is not available: {reason}");
            None
        }
    }
}

/// An origin that answers everything with a fresh text, and counts.
struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || answer(stream.unwrap(), &counted));
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, counted: &AtomicUsize) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..count]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\n\
                          Content-Type: text/plain\r\nContent-Length: 3\r\n\r\none";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }
}

fn options(origin: &Origin) -> StartOptions {
    StartOptions {
        origin: origin.address,
        program: example("door"),
        supervisor: vec![example("supervise").into()],
        allow_remote: false,
        moves_time: true,
    }
}

fn site(id: &str, origin: &Origin, spec: SiteSpec) -> SiteRequest {
    let host = format!("{id}.edgeproof.test");
    SiteRequest { id: id.into(), host, upstream: origin.address, prefix: String::new(), spec }
}

fn cached() -> SiteSpec {
    SiteSpec { cache: Some(CacheSite::default()), ..SiteSpec::default() }
}

fn waf(profile: &str, mode: &str) -> SiteSpec {
    let waf = WafSite { profile: profile.into(), mode: mode.into(), paranoia: None };
    SiteSpec { waf: Some(waf), ..SiteSpec::default() }
}

/// At the highest paranoia level.
fn at_level_4(mut site: SiteSpec) -> SiteSpec {
    site.waf.as_mut().expect("a WAF").paranoia = Paranoia::of("4");
    site
}

/// The answer's head and content.
fn get(target: &RunningTarget, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(target.http().unwrap()).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

/// What stands in a log once it holds `lines` lines: a proxy may write a line after its answer.
fn log(path: &std::path::Path, lines: usize) -> String {
    let until = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= lines {
            return text;
        }
        assert!(std::time::Instant::now() < until, "{} lines in {}: {text}", lines, path.display());
        std::thread::yield_now();
    }
}

#[test]
fn every_target_loads_under_its_folders_name() {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder("")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let spec = load(&path);
            assert_eq!(Some(spec.name.as_str()), path.file_name().and_then(|name| name.to_str()));
            names.push(spec.name);
        }
    }
    names.sort();
    assert_eq!(
        names,
        [
            "apache",
            "apache-modsecurity",
            "bare",
            "dropbear",
            "haproxy",
            "nginx",
            "nginx-container",
            "nginx-modsecurity",
            "reference",
            "reference-redis",
            "reference-wordpress",
            "squid",
            "sshd-default",
            "sshd-documents",
            "sshd-guarded",
            "sshd-hardened",
            "sshd-trixie",
            "sshd-weak",
            "trafficserver",
            "varnish"
        ]
    );
}

/// The example that vendors begin with.
#[test]
fn the_readmes_example_loads() {
    let readme = fs::read_to_string(folder("").join("README.md")).unwrap();
    let mut blocks = readme.split("```").skip(1).step_by(2);
    let yaml = blocks.next().unwrap().strip_prefix("yaml").unwrap();
    let template = blocks.next().unwrap();
    let example = crate::support::folder(&[("target.yaml", yaml), ("my-proxy.conf.j2", template)]);
    let spec = load(example.path());
    assert!(spec.available().unwrap_err().to_string().contains("apt-get install my-proxy"));
}

/// What both nginx targets must do.
async fn nginx_serves_sites_apart_and_follows_its_clock(name: &str) {
    let Some(spec) = here(name) else { return };
    let origin = Origin::start();
    let log_spec = AccessLog { format: None, preset: Some("json".into()), dialect: None };
    let json = SiteSpec { access_log: Some(log_spec), ..cached() };
    let sites = [site("one", &origin, cached()), site("two", &origin, json)];
    let target = spec.start(&sites, &options(&origin)).await.unwrap_or_else(|error| {
        panic!("{error}\n{}", error.log());
    });
    assert!(target.version().is_some_and(|version| version.starts_with("1.")));

    let (one, two) = ("one.edgeproof.test", "two.edgeproof.test");
    for _ in 0..2 {
        assert_eq!(status(&get(&target, one, "/doc")), "200");
    }
    assert_eq!(origin.requests(), 1, "the second is a hit");
    assert_eq!(status(&get(&target, two, "/doc")), "200");
    assert_eq!(origin.requests(), 2, "another host is another entry");

    let clock = target.faketime().unwrap();
    clock.set_offset(Duration::from_secs(59)).unwrap();
    get(&target, one, "/doc");
    assert_eq!(origin.requests(), 2, "still fresh");
    clock.set_offset(Duration::from_secs(61)).unwrap();
    get(&target, one, "/doc");
    assert_eq!(origin.requests(), 3, "stale, so asked again");
    clock.freeze("2018-07-16 10:04:07").unwrap();
    assert_eq!(status(&get(&target, one, "/other")), "200");

    let text = log(&target.access_log("one").unwrap().path, 5);
    let last = text.lines().last().unwrap();
    assert_eq!(
        last,
        r#"one.edgeproof.test 127.0.0.1 - - [16/Jul/2018:10:04:07 +0000] "GET /other HTTP/1.1" 200 3 "-" "-""#
    );
    let text = log(&target.access_log("two").unwrap().path, 1);
    assert!(text.starts_with('{') && text.contains(r#""request_path":"/doc""#), "{text}");
    // An answer of nginx's own has its own Date; others have their origin's.
    let refused = get(&target, "nobody.test", "/");
    assert_eq!(status(&refused), "421");
    assert!(refused.contains("Date: Mon, 16 Jul 2018 10:04:07 GMT"), "{refused}");
    assert!(TcpStream::connect(target.tls().unwrap()).is_ok());
    target.stop().await;
}

#[tokio::test]
async fn nginx_as_a_process() {
    nginx_serves_sites_apart_and_follows_its_clock("nginx").await;
}

#[tokio::test]
async fn nginx_on_real_time_when_nothing_moves_it() {
    let Some(spec) = here("nginx") else { return };
    let origin = Origin::start();
    let options = StartOptions { moves_time: false, ..options(&origin) };
    let target = spec.start(&[site("one", &origin, cached())], &options).await.unwrap();
    assert!(target.faketime().is_none());
    let pid = target.pids(edgeproof_target::ServiceName::Http)[0];
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    assert!(maps.contains("nginx") && !maps.contains("faketime"), "{maps}");
    assert_eq!(status(&get(&target, "one.edgeproof.test", "/doc")), "200");
    target.stop().await;
}

/// More log files than the usual soft limit of 1024 open ones.
#[tokio::test]
async fn nginx_with_more_than_a_thousand_sites() {
    let Some(spec) = here("nginx") else { return };
    let origin = Origin::start();
    let sites: Vec<SiteRequest> =
        (0..1100).map(|number| site(&format!("s{number}"), &origin, cached())).collect();
    let target = spec.start(&sites, &options(&origin)).await.unwrap_or_else(|error| {
        panic!("{error}\n{}", error.log());
    });
    eprintln!("{} sites in {:?}", sites.len(), target.ready_in());
    for site in [&sites[0], &sites[1099]] {
        assert_eq!(status(&get(&target, &site.host, "/doc")), "200");
    }
    assert_eq!(origin.requests(), 2);
    target.stop().await;
}

#[tokio::test]
async fn nginx_as_a_container() {
    nginx_serves_sites_apart_and_follows_its_clock("nginx-container").await;
}

#[tokio::test]
async fn modsecurity_3_blocks_by_profile_and_mode() {
    modsecurity_blocks_by_profile_and_mode("nginx-modsecurity").await;
}

#[tokio::test]
async fn modsecurity_2_blocks_by_profile_and_mode() {
    modsecurity_blocks_by_profile_and_mode("apache-modsecurity").await;
}

async fn modsecurity_blocks_by_profile_and_mode(name: &str) {
    let Some(spec) = here(name) else { return };
    let origin = Origin::start();
    let sites = [
        site("full", &origin, waf("full", "block")),
        site("basic", &origin, waf("basic", "block")),
        site("strong", &origin, waf("strong", "block")),
        site("alert", &origin, waf("full", "alert")),
        site("wordpress", &origin, waf("wordpress", "block")),
        site("strict", &origin, at_level_4(waf("full", "block"))),
        site("off", &origin, SiteSpec::default()),
    ];
    let target = spec.start(&sites, &options(&origin)).await.unwrap_or_else(|error| {
        panic!("{error}\n{}", error.log());
    });
    let sqli = "/?q=1%27%20union%20select%20password%20from%20users--%20";
    let traversal = "/?file=../../../../data/notes.txt";
    let statuses = |path: &str| -> Vec<String> {
        sites.iter().map(|site| status(&get(&target, &site.host, path)).to_owned()).collect()
    };
    assert_eq!(statuses(sqli), ["403", "200", "403", "200", "403", "403", "200"]);
    assert_eq!(statuses(traversal), ["403", "200", "200", "200", "403", "403", "200"]);
    let apostrophe = statuses("/?name=O%27Brien");
    assert_eq!(apostrophe, ["200", "200", "200", "200", "200", "403", "200"]);

    let waf_log = |id: &str| log(&target.waf_log(id).unwrap().path, 1);
    for (id, rule) in [("full", "930100"), ("full", "942100"), ("alert", "942100")] {
        assert!(waf_log(id).contains(&format!("[id \"{rule}\"]")), "{id}: {}", waf_log(id));
    }
    assert!(waf_log("full").contains("../../../../data/notes.txt"));
    target.stop().await;
}

/// The configuration of the reference, as far as this crate can judge it: its YAML, with all sites. The
/// stand-in for the proxy prints it and ends.
#[tokio::test]
async fn the_reference_is_told_of_every_key_of_a_site() {
    let Some(spec) = here("reference") else { return };
    let origin = Origin::start();
    let format = Some("{status} \"{request}\"".to_owned());
    let full = SiteSpec {
        cache: Some(CacheSite {
            policy: Some("hosting".into()),
            ttl: Some(Duration::from_secs(10)),
            size: Some(1 << 20),
            purge_from: Some(vec!["127.0.0.0/8".into(), "::1".into()]),
        }),
        access_log: Some(AccessLog { format, preset: None, dialect: Some("2018".into()) }),
        clock: Some(SiteClock {
            start: "2018-07-16T12:04:07+02:00".into(),
            zone: Some("Europe/Paris".into()),
        }),
        ..SiteSpec::default()
    };
    assert_eq!(spec.expresses.site(&full), Ok(()));
    let sites = [site("full", &origin, full), site("plain", &origin, SiteSpec::default())];
    let error = spec.start(&sites, &options(&origin)).await.unwrap_err();
    insta::with_settings!({ filters => [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"/[^ ]*/edgeproof-reference-\w+", "DIR"),
        (r"20[2-9]\d-\d\d-\d\dT[0-9:]+Z", "NOW"),
    ]}, { insta::assert_snapshot!(error.log()) });
    let diagnostics = edgeproof_diagnostics::Diagnostics::new();
    let source = edgeproof_diagnostics::Source::new("proxy.yaml", error.log());
    assert!(edgeproof_diagnostics::parse(&source, &diagnostics).is_some());
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(edgeproof_diagnostics::Colour::Never));
}

/// What the daemon says first (RFC 4253 section 4.2).
fn greeting(target: &RunningTarget) -> String {
    let mut stream = TcpStream::connect(target.ssh().unwrap()).unwrap();
    let mut bytes = [0; 64];
    let count = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

async fn sshd_answers(name: &str, effective: &[&str]) {
    let Some(spec) = here(name) else { return };
    let origin = Origin::start();
    let target = spec.start(&[], &options(&origin)).await.unwrap_or_else(|error| {
        panic!("{error}\n{}", error.log());
    });
    assert!(greeting(&target).starts_with("SSH-2.0-OpenSSH_"));
    assert!(target.ssh_login().unwrap().private_key.exists());
    let sshd = target.sshd().unwrap();
    let output = std::process::Command::new(&sshd.binary)
        .args(["-T", "-C", "user=root,host=localhost,addr=127.0.0.1", "-f"])
        .arg(&sshd.config)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for line in effective {
        assert!(text.lines().any(|found| found == *line), "{line} in\n{text}");
    }
    target.stop().await;
}

#[tokio::test]
async fn debians_sshd() {
    sshd_answers("sshd-default", &["x11forwarding yes", "permitrootlogin without-password"]).await;
}

#[tokio::test]
async fn the_weak_sshd() {
    // The drop-in wins over the file, and the Match block over both.
    let weak = ["permitrootlogin yes", "passwordauthentication yes", "maxauthtries 1000"];
    sshd_answers("sshd-weak", &weak).await;
}

#[tokio::test]
async fn the_origin_behind_no_proxy() {
    let origin = Origin::start();
    let spec = here("bare").unwrap();
    let everything = SiteSpec {
        clock: Some(SiteClock { start: "2018-07-16T12:04:07+02:00".into(), zone: None }),
        ..waf("full", "quarantine")
    };
    assert_eq!(spec.expresses.site(&everything), Ok(()));
    let target = spec.start(&[], &options(&origin)).await.unwrap();
    assert_eq!(target.http(), Some(origin.address));
    target.stop().await;
}
