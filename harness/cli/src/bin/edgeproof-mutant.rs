//! `edgeproof` with deliberate bugs in its reference, one chosen by `EDGEPROOF_MUTANT`: the scenarios'
//! negative control. Built only with the cargo feature `mutants`, for tests; never released.

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("list-mutants") {
        for (_, name) in edgeproof_mutant::Mutant::ALL {
            println!("{name}");
        }
        return std::process::ExitCode::SUCCESS;
    }
    edgeproof::main()
}
