//! `edgeproof investigate …`

use std::time::Instant;

use edgeproof_agent::Format;

use super::output::Output;
use super::question::{self, Draft, Job};
use super::words::Words;
use super::{Failure, access, agents, interrupted, log, print, runtime};
use crate::asker::{FleetAsker, Sent};
use crate::id::Id;
use crate::key::SecretKey;
use crate::nats::Store;

const HELP: &str = "\
Investigates a fleet: signs an action, sends it over NATS, tells what each agent has found.

Usage: edgeproof investigate ACTION.json [FLAGS]     a MIG action; also with netstat, keys, integrity, ping
       edgeproof investigate MODULE [FLAGS]          one operation: file, keys, netstat, integrity, sshd or ping,
                                                     with its flags as in `edgeproof agent help`
       edgeproof investigate unknown-hosts [-known FILE]   neighbours that no agent's host is, nor one in FILE
       edgeproof investigate -resume ID              the answers to an action, past and to come
       edgeproof investigate unknown-hosts -resume ID [-known FILE]   the same, for its own question
       edgeproof investigate agents [-t TARGET]      the agents that were heard of

Flags:
  -t TARGET     whom: status='online' AND environment->>'ident' LIKE 'Debian%', web*,db1, tag:role=web, all
  -key FILE     what signs (`edgeproof agent keygen`)
  -e TIME       how long agents have [50s]
  -dry          only say how many would be asked
  -format F     human, json or mig
  -nats URL     nats://HOST:PORT or tls://HOST:PORT; again for more servers
  -creds FILE, -nkey FILE, -user NAME -password-file FILE     who one is
  -ca FILE, -cert FILE -cert-key FILE                         TLS
  -inbox NAME   what one hears answers under, where the server gives each user a subject of their own

Exit codes: 0 all looked and found nothing · 1 found · 2 usage · 3 no NATS server, or no JetStream · 4 nobody to ask
            6 nothing found, but not everybody looked at everything · 7 broken · 130 interrupted
";

/// What is to be done.
enum Wish {
    Ask(Box<Draft>),
    /// The answers to an action of old; where it is said as what, it must be that.
    Resume(Id, Option<Box<Draft>>),
    List,
}

pub(super) fn run(words: &[String]) -> Result<u8, Failure> {
    if words.iter().any(|word| matches!(word.as_str(), "help" | "-h" | "-help" | "--help")) {
        return print(HELP).map(|()| 0);
    }
    let (wish, mine) = read(words)?;
    access::checked(&mine.access)?;
    runtime(2)?.block_on(async {
        let client = mine.access.connect("edgeproof investigate", log()).await?;
        let asker = FleetAsker::new(Store::open(client).await?);
        match wish {
            Wish::List => agents::list(&asker, &mine).await,
            Wish::Resume(id, draft) => {
                let sent = asker.find(id).await?;
                if let Some(draft) = &draft
                    && draft.name != sent.name
                {
                    let text = format!("the action {id} is `{}`, not `{}`", sent.name, draft.name);
                    return Err(Failure::Usage(text));
                }
                let job = draft.map_or(Job::Tell, |draft| draft.job);
                follow(&asker, sent, &mine, job, Instant::now()).await
            }
            Wish::Ask(draft) => ask(&asker, *draft, &mine).await,
        }
    })
}

/// What the words ask for.
fn read(words: &[String]) -> Result<(Wish, Words), Failure> {
    let mut mine = Words::default();
    let (wish, resumed) = match words.split_first() {
        Some((first, rest)) if first == "agents" => {
            mine.take(&question::only_flags(rest, &[])?)?;
            (Wish::List, mine.resume)
        }
        // Only flags: `-resume` among them.
        Some((first, _)) if first.starts_with('-') && names_resume(words) => {
            mine.take(&question::only_flags(words, &[])?)?;
            let wish = mine.resume.map_or(Wish::List, |id| Wish::Resume(id, None));
            (wish, None)
        }
        _ => {
            let (draft, words) = question::read(words)?;
            mine = words;
            match mine.resume.filter(|_| draft.is_of_unknown_hosts()) {
                Some(id) => (Wish::Resume(id, Some(Box::new(draft))), None),
                None => (Wish::Ask(Box::new(draft)), mine.resume),
            }
        }
    };
    let mistake = match (&wish, resumed) {
        (_, Some(_)) => Some("-resume stands alone: the action is asked already".to_owned()),
        (Wish::Resume(..), None) => {
            mine.of_a_new_action().map(|flag| format!("{flag}: the action is asked already"))
        }
        // Whom the list is of is said as in an action.
        (Wish::List, None) => Words { target: None, ..mine.clone() }
            .of_a_new_action()
            .map(|flag| format!("{flag}: a list of agents asks them nothing")),
        (Wish::Ask(_), None) => None,
    };
    match mistake {
        Some(text) => Err(Failure::Usage(text)),
        None => Ok((wish, mine)),
    }
}

fn names_resume(words: &[String]) -> bool {
    words.iter().any(|word| word.trim_start_matches('-').split('=').next() == Some("resume"))
}

async fn ask(asker: &FleetAsker, draft: Draft, words: &Words) -> Result<u8, Failure> {
    let question = draft.question(words)?;
    // Before anything is asked of the server: a missing key is a mistake of the words.
    let key = match &words.key {
        Some(file) => Some(SecretKey::load(file)?),
        None if words.is_dry => None,
        None => {
            let text =
                "what signs the action? Expected -key FILE; `edgeproof agent keygen` makes one";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    let (chosen, known) = agents::chosen(asker, &question.target).await?;
    let Some(key) = key.filter(|_| !words.is_dry) else {
        print(&format!("{} of {known} agents would be asked\n", chosen.len()))?;
        return Ok(0);
    };
    let began = Instant::now();
    let sent = asker.send(&question, &chosen, &key).await?;
    if words.format == Format::Human {
        log()(&format!("action {} is sent to {} agents", sent.id, sent.roll.len()));
    }
    follow(asker, sent, words, draft.job, began).await
}

async fn follow(
    asker: &FleetAsker,
    mut sent: Sent,
    words: &Words,
    job: Job,
    began: Instant,
) -> Result<u8, Failure> {
    let output = std::cell::RefCell::new(Output::new(words.format, job, &sent));
    let followed = asker.follow(
        &mut sent,
        |agent, done| output.borrow_mut().done(agent, &done),
        |roll| output.borrow().progress(roll),
        interrupted()?,
    );
    let followed = followed.await?;
    output.into_inner().end(&sent, began.elapsed(), followed)
}
