//! Starting, watching and stopping a target, with a small service in the place of a proxy.

use std::collections::HashSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::support::{folder, load, options, origin, site};
use edgeproof_scenario::model::{CacheSite, SiteSpec};
use edgeproof_target::{ServiceName, Signal, StartError, TargetSpec};

const DOOR: &str = r#"
title: A door
version: { command: ["{{ self }}", taken], matches: "Address (\\w+)" }
declares: [http, cache]
expresses: [cache, cache.ttl]
clock: control
files:
  door.conf: door.conf.j2
  bin/script: { template: door.conf.j2, mode: 0755 }
services:
  http:
    process: { command: ["{{ self }}", "127.0.0.1:{{ port.http }}", "{{ dir }}/control.sock"] }
    address: 127.0.0.1:{{ port.http }}
    ready: { http: /, status: 200 }
  control: { unix: "{{ dir }}/control.sock" }
logs:
  access: "{{ dir }}/log/{{ site.host }}.log"
  waf: "{{ dir }}/waf.log"
"#;

const CONF: &str = "\
{% for site in sites %}
{{ site.id }} {{ site.host }} {{ site.upstream }} {{ site.prefix }}
{% if site.cache %}
ttl {{ site.cache.ttl_ms }}
{% endif %}
{% endfor %}
";

async fn start(yaml: &str, conf: &str) -> Result<edgeproof_target::RunningTarget, StartError> {
    let folder = folder(&[("target.yaml", yaml), ("door.conf.j2", conf)]);
    let cache = CacheSite { ttl: Some(Duration::from_secs(10)), ..CacheSite::default() };
    let cached = SiteSpec { cache: Some(cache), ..SiteSpec::default() };
    let sites = [site("one", SiteSpec::default()), site("two", cached)];
    load(folder.path()).start(&sites, &options()).await
}

fn lives(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_target_starts_with_all_sites_and_stops_without_a_trace() {
    let target = start(DOOR, CONF).await.unwrap();
    let http = target.http().unwrap();
    assert!(TcpStream::connect(http).is_ok());
    assert_eq!(target.version(), Some("already"));
    assert_eq!(target.alive().await, Ok(()));

    let folder = target.folder().to_owned();
    assert_eq!(target.control(), Some(&*folder.join("control.sock")));
    let conf = fs::read_to_string(folder.join("door.conf")).unwrap();
    let origin = origin();
    assert_eq!(
        conf,
        format!(
            "one one.edgeproof.test http://{origin} /one\n\
             two two.edgeproof.test http://{origin} /two\nttl 10000\n"
        )
    );
    let access = target.access_log("two").unwrap();
    assert_eq!(access.path, folder.join("log/two.edgeproof.test.log"));
    assert!(!access.shared && access.path.parent().unwrap().is_dir());
    assert!(target.waf_log("two").unwrap().shared);
    assert!(target.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let pids = target.pids(ServiceName::Http);
    assert!(!pids.is_empty() && pids.iter().all(|&pid| lives(pid)));
    let [supervisor] = target.supervisors()[..] else { panic!("one service is supervised") };
    let stat = fs::read_to_string(format!("/proc/{}/stat", pids[0])).unwrap();
    let parent = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).map(str::to_owned);
    assert_eq!(parent, Some(supervisor.to_string()));
    target.stop().await;
    assert!(!pids.iter().any(|&pid| lives(pid)));
    assert!(!folder.exists());
}

#[tokio::test]
async fn dropping_a_target_ends_it_too() {
    let target = start(DOOR, CONF).await.unwrap();
    let (pids, folder) = (target.pids(ServiceName::Http), target.folder().to_owned());
    drop(target);
    assert!(!pids.iter().any(|&pid| lives(pid)) && !folder.exists());
}

#[tokio::test]
async fn a_death_is_told_with_its_status_and_log() {
    let mut target = start(DOOR, CONF).await.unwrap();
    target.keep_folder();
    let http = target.http().unwrap();
    target.signal(ServiceName::Http, Signal::SIGKILL);
    let died = loop {
        match target.alive().await {
            Err(died) => break died,
            Ok(()) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(died.to_string(), "http ended: signal SIGKILL");
    assert_eq!(died.log, format!("door {http} is open"));
    let folder = target.folder().to_owned();
    target.stop().await;
    assert!(folder.join("door.conf").exists(), "it was to be kept");
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn one_that_ends_at_once_did_not_start() {
    let yaml = DOOR.replace(r#""127.0.0.1:{{ port.http }}", "{{ dir }}/control.sock"]"#, "taken]");
    let error = start(&yaml, CONF).await.unwrap_err();
    assert_eq!(error.to_string(), "http ended before it was ready: code 98");
    assert_eq!(error.log(), "bind: Address already in use");
}

#[tokio::test]
async fn one_that_opens_no_door_is_given_up() {
    let yaml = DOOR
        .replace(
            r#""127.0.0.1:{{ port.http }}", "{{ dir }}"#,
            r#""127.0.0.1:{{ port.x }}", "{{ dir }}"#,
        )
        .replace("status: 200", "status: 200, within: 50ms");
    let error = start(&yaml, CONF).await.unwrap_err();
    let StartError::NotReady { waiting_for, .. } = &error else { panic!("{error}") };
    assert!(waiting_for.ends_with("to accept a connection"), "{waiting_for}");
}

#[tokio::test]
async fn a_mistake_in_a_template_is_shown_at_its_line() {
    let error = start(DOOR, "first\n{{ sites }}\n{{ orgin.address }}\n").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("door.conf.j2:3:"), "{text}");
    assert!(text.contains("{{ orgin.address }}") && text.contains("^"), "{text}");
    assert!(text.contains("rendered from here"), "{text}");
}

#[tokio::test]
async fn an_address_elsewhere_is_refused() {
    let yaml = DOOR.replace("address: 127.0.0.1:", "address: 192.0.2.1:");
    let error = start(&yaml, CONF).await.unwrap_err().to_string();
    assert!(error.contains("192.0.2.1") && error.contains("--allow-remote"), "{error}");
}

#[tokio::test]
async fn a_url_target_is_only_connected_to() {
    let door = start(DOOR, CONF).await.unwrap();
    let url = format!("http://{}/", door.http().unwrap());
    let spec = TargetSpec::from_url(&url, &["cache".into()], false).unwrap();
    assert_eq!((spec.kind(), spec.declares("cache"), spec.declares("waf")), ("url", true, false));
    let target = spec.start(&[], &options()).await.unwrap();
    assert_eq!(target.http(), door.http());
    assert_eq!(target.pids(ServiceName::Http), Vec::<i32>::new());
    target.stop().await;
    assert_eq!(door.alive().await, Ok(()));
    door.stop().await;
}

#[tokio::test]
async fn targets_started_together_share_no_port() {
    let (one, two) = tokio::join!(start(DOOR, CONF), start(DOOR, CONF));
    let targets = [one.unwrap(), two.unwrap()];
    let ports: HashSet<_> =
        targets.iter().filter_map(edgeproof_target::RunningTarget::http).collect();
    assert_eq!(ports.len(), 2);
    for target in targets {
        target.stop().await;
    }
}
