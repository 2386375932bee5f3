//! The agent by itself, without the harness: `cargo run -p edgeproof-agent --example agent -- file -path /etc`.

fn main() -> std::process::ExitCode {
    edgeproof_agent::main(std::env::args_os().skip(1).collect()).into()
}
