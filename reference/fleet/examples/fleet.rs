//! The fleet's commands by themselves, without the harness: `cargo run -p edgeproof-fleet --example fleet -- agent serve …`
//! or `… -- investigate …`

fn main() -> std::process::ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("agent") => edgeproof_fleet::agent_main(words.collect()).into(),
        Some("investigate") => edgeproof_fleet::investigate_main(&words.collect::<Vec<_>>()).into(),
        Some("--version") => {
            println!("edgeproof {}", env!("CARGO_PKG_VERSION"));
            0.into()
        }
        _ => {
            eprintln!("expected `agent …` or `investigate …`");
            2.into()
        }
    }
}
