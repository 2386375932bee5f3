//! The network of this host, of a network namespace of the test's own, and what is asked of them.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use edgeproof_agent::{Heard, Hit, KnownHosts, Network, Pattern, Protocol, Questions, Socket};

fn ask(questions: &Questions) -> Heard {
    let heard = Network::read(questions).answer(questions);
    assert_eq!(heard.troubles, []);
    heard
}

fn patterns(text: &str) -> Vec<Pattern> {
    vec![Pattern::new(text).expect("a regex")]
}

fn listening(port: u16) -> Vec<Socket> {
    let listening = vec![port.to_string().parse().expect("a port")];
    let hits = ask(&Questions { listening, ..Questions::default() }).hits;
    let socket = |hit| match hit {
        Hit::Listening(socket) => socket,
        other => panic!("not asked for: {other:?}"),
    };
    hits.into_iter().map(socket).collect()
}

fn ours(sockets: &[Socket], end: SocketAddr) -> bool {
    sockets.iter().any(|socket| {
        socket.local == end && socket.owners.iter().any(|owner| owner.pid == std::process::id())
    })
}

#[test]
fn what_listens_and_whose_it_is() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let end = tcp.local_addr().expect("bound");
    assert!(ours(&listening(end.port()), end));
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let end = udp.local_addr().expect("bound");
    assert!(ours(&listening(end.port()), end));
    udp.connect(end).expect("a peer");
    assert!(!ours(&listening(end.port()), end), "it takes datagrams of one peer only");
}

#[test]
fn a_peer_is_connected_and_does_not_listen() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut one = TcpStream::connect(tcp.local_addr().expect("bound")).expect("it listens");
    let (mut other, _) = tcp.accept().expect("a peer");
    one.write_all(b"x").and_then(|()| other.read_exact(&mut [0])).expect("both are there");
    let end = one.local_addr().expect("bound");
    let listen = |socket: &Socket| socket.protocol == Protocol::Tcp && socket.local == end;
    assert!(!listening(end.port()).iter().any(listen));
    let ask_for = |network: &str, process: &str| {
        let processes = patterns(process);
        let peers = vec![network.parse().expect("a network")];
        ask(&Questions { peers, processes, ..Questions::default() }).hits
    };
    let is_there = |hits: &[Hit]| {
        hits.iter().any(|hit| matches!(hit, Hit::Connected(socket) if socket.local == end))
    };
    assert!(is_there(&ask_for("127.0.0.0/8", "")));
    assert!(!is_there(&ask_for("127.0.0.0/8", "^no such process$")));
    assert!(is_there(&ask_for("127.0.0.0/8", "!^no such process$")));
    assert!(!is_there(&ask_for("192.0.2.0/24", "")));
}

#[test]
fn addresses_of_this_host() {
    let asked = |network: &str| Questions {
        local_addresses: vec![network.parse().expect("a network")],
        ..Questions::default()
    };
    let is = ask(&asked("127.0.0.0/8")).hits;
    assert!(is.contains(&Hit::LocalAddress("lo".into(), "127.0.0.1/8".parse().expect("one"))));
    assert_eq!(ask(&asked("198.51.100.0/24")).exit_code(), 0);
}

/// The same test again, in a network namespace of its own with two neighbours.
#[test]
fn neighbours_of_both_families() {
    const INSIDE: &str = "EDGEPROOF_TEST_NETWORK";
    if env::var_os(INSIDE).is_some() {
        return neighbours_inside();
    }
    let network = "set -e
        ip link add own type veth peer name theirs
        ip link set own address 02:00:00:00:00:07 up
        ip link set theirs up
        ip addr add 10.9.8.7/24 dev own
        ip -6 addr add fd00::7/64 dev own nodad
        ip neigh add 10.9.8.1 lladdr 00:21:59:96:75:7f dev own nud reachable
        ip neigh add fd00::1 lladdr 00:21:59:96:75:80 dev own nud permanent
        ip neigh add 10.9.8.2 lladdr 00:21:59:96:75:81 dev own nud noarp
        ip neigh add 10.9.8.3 dev own nud failed";
    let possible = Command::new("unshare").args(["-rn", "sh", "-c", network]).output();
    if !possible.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("not tried: no network namespace with veth can be made here: {possible:?}");
        return;
    }
    let again = format!("{network}\nexec \"$0\" --exact neighbours_of_both_families --nocapture");
    let test = env::current_exe().expect("this test");
    let output = Command::new("unshare")
        .args(["-rn", "sh", "-c", &again])
        .arg(test)
        .env(INSIDE, "1")
        .output()
        .expect("it was there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

fn neighbours_inside() {
    let neighbours = |questions: &Questions| -> Vec<String> {
        let text = |hit| match hit {
            Hit::Neighbour(one) => {
                format!("{} {} {} {}", one.address, one.mac, one.interface, one.state)
            }
            other => panic!("not asked for: {other:?}"),
        };
        ask(questions).hits.into_iter().map(text).collect()
    };
    let four = "10.9.8.1 00:21:59:96:75:7f own reachable";
    let six = "fd00::1 00:21:59:96:75:80 own permanent";
    let by_mac = |text| Questions { neighbour_macs: patterns(text), ..Questions::default() };
    assert_eq!(neighbours(&by_mac("^00:21:59")), [four, six]);
    assert_eq!(neighbours(&by_mac("7F$")), [four], "in either case");
    assert_eq!(neighbours(&by_mac("!7f$")), [six]);
    let network = vec![IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1]).into()];
    let by_address = Questions { neighbour_addresses: network, ..Questions::default() };
    assert_eq!(neighbours(&by_address), [six]);

    let local = Questions { local_macs: patterns("^02:00:00:00:00:07$"), ..Questions::default() };
    assert!(matches!(&ask(&local).hits[..], [Hit::LocalMac(own, _)] if own == "own"));

    let unaccounted = |known: &str| -> Vec<String> {
        let known = Some(KnownHosts::read(known).expect("a list"));
        let text = |hit| match hit {
            Hit::Unaccounted(mac) => format!("{mac} is not accounted for"),
            other => panic!("not asked for: {other:?}"),
        };
        let questions = Questions { known, ..Questions::default() };
        ask(&questions).hits.into_iter().map(text).collect()
    };
    assert_eq!(
        unaccounted("02:00:00:00:00:09\n00-21-59-96-75-80 gateway\n"),
        ["00:21:59:96:75:7f is not accounted for"]
    );
    assert_eq!(unaccounted("00:21:59:96:75:7F 00:21:59:96:75:80"), [""; 0]);
}

fn agent(words: &[&str]) -> u8 {
    edgeproof_agent::main(words.iter().map(Into::into).collect())
}

#[test]
fn what_a_person_can_get_wrong() {
    for wrong in [
        &["netstat"][..],
        &["netstat", "22"],
        &["netstat", "-process", "sshd"],
        &["netstat", "-lp", "70000"],
        &["netstat", "-lp", "9-8"],
        &["netstat", "-ci", "10.0.0.0/33"],
        &["netstat", "-nm", "("],
        &["netstat", "-known", "/nonexistent/hosts"],
        &["netstat", "-known", "/dev/null"],
    ] {
        assert_eq!(agent(wrong), 2, "{wrong:?}");
    }
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("bound").port().to_string();
    for format in ["human", "mig", "json"] {
        assert_eq!(agent(&["netstat", "-lp", &port, "-format", format]), 1);
    }
}
