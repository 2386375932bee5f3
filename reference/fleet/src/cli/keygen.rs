//! `edgeproof agent keygen -o FILE`

use std::path::PathBuf;

use edgeproof_agent::flags::{self, Known};

use super::{Failure, print};
use crate::key::SecretKey;

pub(super) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, Known { values: &["o"], switches: &[] })?;
    let file = given.last().map(|flag| PathBuf::from(&flag.value));
    let Some(file) = file.filter(|_| others.is_empty()) else {
        return Err(Failure::Usage("where to? Expected `keygen -o FILE`".to_owned()));
    };
    let key = SecretKey::new()?;
    let public = key.create(&file)?;
    print(&format!(
        "{}\n# {} signs actions: keep it to yourself. The line above is {}: agents list it in their file of trusted keys.\n",
        key.public(),
        file.display(),
        public.display()
    ))?;
    Ok(0)
}
