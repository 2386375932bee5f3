//! Arguments in, library calls out, exit codes; nothing else.

fn main() -> std::process::ExitCode {
    edgeproof::main()
}
