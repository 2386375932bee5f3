//! Collections that outlive a transaction.

use std::sync::Arc;

use super::{Collections, Moment, Request, play_on, rules};

#[test]
fn a_collection_counts_over_transactions_and_forgets() {
    let text = r#"
        SecCollectionTimeout 100
        SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},initcol:global=all"
        SecAction "id:2,phase:1,pass,nolog,setvar:ip.hits=+1,setvar:global.hits=+1"
        SecRule ARGS:a "@rx ." "id:3,phase:2,pass,nolog,setvar:ip.bad=1,expirevar:ip.bad=10"
        SecRule IP:hits "@gt 2" "id:4,phase:2,pass"
        SecRule IP:bad "@eq 1" "id:5,phase:1,pass"
        SecRule IP:IS_NEW "@eq 1" "id:6,phase:1,pass"
    "#;
    let (rules, store) = (rules(text), Arc::new(Collections::default()));
    let at = |seconds, target: &str| {
        let request = Request { now: Moment::utc(seconds), ..Request::get(target) };
        let mut fired = play_on(&rules, &store, &request, &[]).outcome.fired;
        fired.retain(|id| *id > 3);
        fired
    };
    assert_eq!(at(0, "/?a=1"), [6]);
    assert_eq!(at(1, "/"), [5]);
    assert_eq!(at(9, "/"), [5, 4]);
    assert_eq!(at(10, "/"), [4]);
    assert_eq!(at(109, "/"), [4]);
    assert_eq!(at(209, "/"), [6]);
    assert_eq!(store.len(), 2);
}

#[test]
fn sessions_and_users_have_their_ids() {
    let text = r#"
        SecRule REQUEST_COOKIES:sid "@rx ^(.+)$" "id:1,phase:1,pass,nolog,capture,setsid:%{TX.1},setuid:'u %{TX.0}',setrsc:%{REQUEST_FILENAME}"
        SecRule &SESSION "@gt 0" "id:2,phase:1,pass,nolog,setvar:session.n=+1,setvar:user.n=+10,setvar:resource.n=+100"
        SecAction "id:3,phase:2,pass,nolog,setvar:'tx.all=%{SESSIONID}|%{USERID}|%{session.n}|%{user.n}|%{resource.n}'"
    "#;
    let (rules, store) = (rules(text), Arc::new(Collections::default()));
    let all = |sid: &str, target: &str| {
        let request = Request::get(target).with("Cookie", &format!("sid={sid}"));
        play_on(&rules, &store, &request, &["all"]).tx("all").unwrap().to_owned()
    };
    assert_eq!(all("a", "/x"), "a|u a|1|10|100");
    assert_eq!(all("a", "/y"), "a|u a|2|20|100");
    assert_eq!(all("b", "/y"), "b|u b|1|10|200");
    let without = play_on(&rules, &store, &Request::get("/"), &["all"]);
    assert_eq!(without.tx("all"), Some("||||"));
}

#[test]
fn what_no_rule_asked_for_is_not_there() {
    let text = r#"
        SecAction "id:1,phase:1,pass,nolog,setvar:ip.n=1,expirevar:ip.n=5,deprecatevar:ip.n=1/5"
        SecRule &IP "@eq 0" "id:2,phase:1,pass"
    "#;
    let (rules, store) = (rules(text), Arc::new(Collections::default()));
    assert_eq!(play_on(&rules, &store, &Request::get("/"), &[]).outcome.fired, [1, 2]);
    assert!(store.is_empty());
}
