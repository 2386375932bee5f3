//! The configuration file: what it means, and how its mistakes are shown.

use std::time::Duration;

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::{ClockSettings, HostName, Policy, Settings, StoreSettings};

fn mistakes(text: &str) -> String {
    Settings::from_yaml("sites.yaml", text).unwrap_err().render(Colour::Never)
}

#[test]
fn every_key_is_understood() {
    let settings = Settings::from_yaml(
        "sites.yaml",
        r#"
listen: ["127.0.0.1:8080", "[::1]:0"]
tls: [{ listen: "127.0.0.1:8443", certificate: c.pem, key: k.pem }]
control: unix:/run/x.sock
threads: 2
limits: { head: 32KiB, fields: 100, body: 1GiB, header_timeout: 10s, idle_timeout: 60s, client_timeout: 1m,
          upstream_connect_timeout: 5s, upstream_timeout: 500ms, stop_timeout: 10s }
access_log: { file: other.log, format: "{status}", dialect: current }
sites:
  - hosts: [A.test, "*"]
    upstream: http://127.0.0.1:9000/c12
    cache: { policy: hosting, ttl: 10s, size: 64MiB, purge_from: [127.0.0.1/32, "::1"] }
    access_log: { file: a.log, format: "{completion_date:{%d/%b/%Y}}", dialect: 2018 }
    clock: { start: "2018-07-16T12:04:07+02:00", zone: "-03:30" }
    trusted_peers: [127.0.0.1/32]
"#,
    )
    .unwrap();
    assert_eq!((settings.listen.len(), settings.tls.len(), settings.threads.get()), (2, 1, 2));
    assert_eq!(settings.limits.body, 1 << 30);
    assert_eq!(settings.limits.upstream_timeout, Duration::from_millis(500));
    let site = &settings.sites[0];
    assert_eq!(site.hosts, [HostName::Named("a.test".to_owned()), HostName::Any]);
    assert_eq!(site.upstream.to_string(), "http://127.0.0.1:9000/c12");
    let cache = site.cache.as_ref().unwrap();
    assert!(matches!(cache.policy, Policy::Hosting { ttl } if ttl.seconds() == 10));
    assert_eq!(cache.store, StoreSettings::Memory { size: 64 << 20 });
    assert_eq!(cache.purge_from.len(), 2);
    let ClockSettings::Virtual(start) = &site.clock else { panic!("{:?}", site.clock) };
    assert_eq!(start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), "2018-07-16T06:34:07-03:30");
}

/// A site whose cache has these keys.
fn cached(keys: &str) -> String {
    let upstream = "http://127.0.0.1:9000";
    format!("listen: [127.0.0.1:0]\nsites: [{{ upstream: {upstream}, cache: {{ {keys} }} }}]\n")
}

#[test]
fn a_store_is_in_memory_or_in_a_redis() {
    let store = |keys: &str| {
        let settings = Settings::from_yaml("sites.yaml", &cached(keys)).unwrap();
        settings.sites[0].cache.clone().unwrap().store
    };
    assert_eq!(store("store: memory, size: 1MiB"), StoreSettings::Memory { size: 1 << 20 });
    let redis = store(r#"store: "redis://127.0.0.1:6380/2", store_timeout: 1s"#);
    assert!(
        matches!(&redis, StoreSettings::Redis(redis) if redis.address() == "redis://127.0.0.1:6380")
    );
    assert_eq!(redis, store(r#"store: "redis://127.0.0.1:6380/2", store_timeout: 1000ms"#));
    assert_ne!(redis, store(r#"store: "redis://127.0.0.1:6380/2""#));
}

#[test]
fn a_store_that_cannot_be_is_refused() {
    for (keys, mistake) in [
        ("store: redis", "redis://"),
        (r#"store: "http://127.0.0.1:6379""#, "no address of a Redis"),
        (r#"store: "rediss://127.0.0.1:6379""#, "TLS is not supported"),
        (r#"store: "redis://127.0.0.1", size: 1MiB"#, "`maxmemory`"),
        ("store_timeout: 1s", "in memory has no such time"),
    ] {
        let shown = mistakes(&cached(keys));
        assert!(shown.contains(mistake), "{keys}: {shown}");
    }
}

#[test]
fn all_mistakes_are_shown_in_one_go() {
    insta::assert_snapshot!(mistakes(
        r#"
lisen: ["127.0.0.1:8080"]
control: /run/x.sock
threads: 0
limits: { head: 32Kib, idle_timeout: 60 }
sites:
  - hosts: [a.test, "http://b.test", A.test]
    upstream: https://127.0.0.1:9000
    cache: { policy: hosting, purge_from: [local] }
    access_log: { file: a.log, format: "{status} {reqest}" }
    clock: { start: yesterday, zone: "+2" }
  - hosts: [a.test]
    upsteam: http://127.0.0.1:9000
  - hosts: []
    upstream: 127.0.0.1:9000
  - hosts: ["*.b.test"]
"#
    ), @r#"
    error: unknown key `lisen` in the configuration
     --> sites.yaml:2:1
      |
    2 | lisen: ["127.0.0.1:8080"]
      | ^^^^^
      |
      = help: did you mean `listen`?

    error: expected `unix:` and a path, such as `unix:/run/edgeproof.sock`
     --> sites.yaml:3:10
      |
    3 | control: /run/x.sock
      |          ^^^^^^^^^^^

    error: expected a whole number from 1 to 1024, found the number `0`
     --> sites.yaml:4:10
      |
    4 | threads: 0
      |          ^

    error: unknown unit `Kib` in `32Kib`: use B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)
     --> sites.yaml:5:17
      |
    5 | limits: { head: 32Kib, idle_timeout: 60 }
      |                 ^^^^^

    error: `60` lacks a unit, such as `60s`
     --> sites.yaml:5:38
      |
    5 | limits: { head: 32Kib, idle_timeout: 60 }
      |                                      ^^

    error: expected a host name without scheme and port, or `*`
     --> sites.yaml:7:21
      |
    7 |   - hosts: [a.test, "http://b.test", A.test]
      |                     ^^^^^^^^^^^^^^^

    error: the host `a.test` belongs to a site already
     --> sites.yaml:7:38
      |
    7 |   - hosts: [a.test, "http://b.test", A.test]
      |             ------ here              ^^^^^^

    error: expected a URL such as `http://127.0.0.1:9000` or `fastcgi://127.0.0.1:9000/srv/www`, or `host:port`
     --> sites.yaml:8:15
      |
    8 |     upstream: https://127.0.0.1:9000
      |               ^^^^^^^^^^^^^^^^^^^^^^

    error: missing `ttl` in a cache
     --> sites.yaml:9:12
      |
    9 |     cache: { policy: hosting, purge_from: [local] }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: expected a network or an address, such as `10.0.0.0/8` or `::1`
     --> sites.yaml:9:44
      |
    9 |     cache: { policy: hosting, purge_from: [local] }
      |                                            ^^^^^

    error: unknown variable "reqest"; did you mean "request"?
      --> sites.yaml:10:51
       |
    10 |     access_log: { file: a.log, format: "{status} {reqest}" }
       |                                                   ^^^^^^

    error: expected a time with its zone, such as `2018-07-16T12:04:07+02:00`
      --> sites.yaml:11:21
       |
    11 |     clock: { start: yesterday, zone: "+2" }
       |                     ^^^^^^^^^

    error: expected a zone, such as `+02:00`, `UTC` or `Europe/Paris`
      --> sites.yaml:11:38
       |
    11 |     clock: { start: yesterday, zone: "+2" }
       |                                      ^^^^

    error: the host `a.test` belongs to a site already
      --> sites.yaml:12:13
       |
     7 |   - hosts: [a.test, "http://b.test", A.test]
       |             ------ here
    ...
    12 |   - hosts: [a.test]
       |             ^^^^^^

    error: unknown key `upsteam` in a site
      --> sites.yaml:13:5
       |
    13 |     upsteam: http://127.0.0.1:9000
       |     ^^^^^^^
       |
       = help: did you mean `upstream`?

    error: a site without hosts answers nobody
      --> sites.yaml:14:12
       |
    14 |   - hosts: []
       |            ^^

    error: missing `upstream` in a site
      --> sites.yaml:16:5
       |
    16 |   - hosts: ["*.b.test"]
       |     ^^^^^^^^^^^^^^^^^^^

    error: a name stands for itself alone: name each host, or take `*` for all that no other site names
      --> sites.yaml:16:13
       |
    16 |   - hosts: ["*.b.test"]
       |             ^^^^^^^^^^

    18 errors in 1 file
    "#);
}

#[test]
fn what_is_no_yaml_and_what_is_not_there() {
    insta::assert_snapshot!(mistakes("sites: ["), @r#"
    error: a value is missing
     --> sites.yaml:1:9
      |
    1 | sites: [
      |        -^ expected a value
      |        |
      |        opened here

    1 error in 1 file
    "#);
    insta::assert_snapshot!(mistakes(""), @r#"
    error: expected the configuration (a mapping), found nothing
     --> sites.yaml:1:1
      |
    1 |
      | ^

    1 error in 1 file
    "#);
    let missing = Settings::from_file("no/such/file.yaml".as_ref()).unwrap_err();
    assert!(missing.render(Colour::Never).contains("cannot read no/such/file.yaml"));
}
