//! Each kind of mistake, as people see it.

use insta::assert_snapshot;

use crate::read;

/// What is told of a text.
fn told(text: &str) -> String {
    match read(text) {
        Ok(program) => panic!("no mistake in {text}: {program:?}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// What is told of each text, one after another; each has just one mistake.
fn each(texts: &[&str]) -> String {
    let one = |text: &&str| {
        let told = told(text);
        let (told, count) = told.rsplit_once("\n\n").expect("a summary");
        assert_eq!(count, "1 error in 1 file", "{told}");
        told.to_owned()
    };
    texts.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn of_directives() {
    assert_snapshot!(each(&[
        "SecRul ARGS x id:1\n",
        "Frobnicate\n",
        "<IfModule security2_module>\n",
        "SecRemoteRules key https://rules.example/\n",
        "SecContentInjection On\n",
        "SecRuleEngine\n",
        "SecRuleEngine Onn\n",
        "SecRuleEngine Maybe\n",
        "SecRuleEngine On Off\n",
        "SecResponseBodyMimeTypesClear text/html\n",
        "SecRule ARGS\n",
        "SecRule ARGS x id:1 deny\n",
        "SecRule ARGS x id:1 \\\n    # why\n",
        "SecRequestBodyLimit 12MB\n",
        "SecRequestBodyLimit -1\n",
        "SecCookieFormat 2\n",
        "SecArgumentSeparator &&\n",
        "SecAuditLogParts ABX\n",
        "SecMarker \"\"\n",
    ]));
}

#[test]
fn of_lines_and_quotes() {
    assert_snapshot!(each(&[
        "SecRule ARGS \"@rx a id:1\n    phase:2,\\\n    deny\"\nSecRuleEngine On\n",
        "SecRule ARGS \"@rx a\"b\" id:1\n",
        "SecRule ARGS '@rx a' \"id:1,msg:'a\"\n",
        "SecRule ARGS x \"id:1,msg:'it's a',deny\"\n",
        "SecRule ARGS x \\ \n    id:1\n",
        "# a comment \\\nSecRuleEngine On\n",
    ]));
}

#[test]
fn of_targets() {
    assert_snapshot!(each(&[
        "SecRule ARG x id:1\n",
        "SecRule REQUEST_HEADER:Host|ARGS x id:1\n",
        "SecRule SCRIPT_FILENAME x id:1\n",
        "SecRule USERAGENT_IP x id:1\n",
        "SecRule \"\" x id:1\n",
        "SecRule ARGS|!&TX:a x id:1\n",
        "SecRule ARGS|:a x id:1\n",
        "SecRule REQUEST_URI:a x id:1\n",
        "SecRule ARGS:%{tx.a} x id:1\n",
        "SecRule ARGS:/a(b/ x id:1\n",
        "SecRule \"ARGS|\\\n    ARGS:'/[z-a]/'\" x id:1\n",
        "SecRule ARGS:/a|b/ x id:1\n",
        "SecRule \"ARGS:'a\" x id:1\n",
        "SecRule \"ARGS:'a'b\" x id:1\n",
    ]));
}

#[test]
fn of_operators() {
    assert_snapshot!(each(&[
        "SecRule ARGS \"@contians a\" id:1\n",
        "SecRule ARGS \"!@nothing a\" id:1\n",
        "SecRule ARGS \"@example.com\" id:1\n",
        "SecRule ARGS \"@verifyCC \\d+\" id:1\n",
        "SecRule ARGS \"@inspectFile a.lua\" id:1\n",
        "SecRule ARGS \"@streq %{tx.a\" id:1\n",
        "SecRule ARGS \"@within a %{requst_uri}\" id:1\n",
    ]));
}

#[test]
fn of_actions() {
    assert_snapshot!(each(&[
        "SecRule ARGS x \"id:1,\\\n    phase:2,\\\n    denny,\\\n    log\"\n",
        "SecRule ARGS x \"id:1,msg:two words\"\n",
        "SecRule ARGS x \"id:1,deny:403\"\n",
        "SecRule ARGS x \"id:1,msg\"\n",
        "SecRule ARGS x \"id:1,msg:\"\n",
        "SecRule ARGS x \"id:1,:a\"\n",
        "SecRule ARGS x \"id:1,exec:/bin/a\"\n",
        "SecRule ARGS x \"id:1,proxy:http://a\"\n",
        "SecRule ARGS x \"id:1,append:a\"\n",
        "SecRule ARGS x \"id:1,t:lowercaes\"\n",
        "SecRule ARGS x \"id:1,phase:6\"\n",
        "SecRule ARGS x \"id:1,severity:CRITICL\"\n",
        "SecRule ARGS x \"id:1,severity:8\"\n",
        "SecRule ARGS x \"id:1,status:199\"\n",
        "SecRule ARGS x \"id:1,skip:0\"\n",
        "SecRule ARGS x \"id:1,allow:all\"\n",
        "SecRule ARGS x \"id:1,msg:'a %{matched_vr}'\"\n",
        "SecRule ARGS x \"id:1,logdata:'%{remote_addr.a}'\"\n",
        "SecRule ARGS x \"id:1,tag:'%{script_uid}'\"\n",
    ]));
}

#[test]
fn of_actions_on_variables() {
    assert_snapshot!(each(&[
        "SecRule ARGS x \"id:1,setvar:a=1\"\n",
        "SecRule ARGS x \"id:1,setvar:'tz.a=1'\"\n",
        "SecRule ARGS x \"id:1,setvar:'args.a=1'\"\n",
        "SecRule ARGS x \"id:1,setvar:'!tx.a=1'\"\n",
        "SecRule ARGS x \"id:1,setvar:'tx.a=%{tx.b'\"\n",
        "SecRule ARGS x \"id:1,expirevar:ip.a\"\n",
        "SecRule ARGS x \"id:1,expirevar:ip.a=soon\"\n",
        "SecRule ARGS x \"id:1,deprecatevar:ip.a=60\"\n",
        "SecRule ARGS x \"id:1,deprecatevar:ip.a=60/0\"\n",
        "SecRule ARGS x \"id:1,initcol:tx=a\"\n",
        "SecRule ARGS x \"id:1,initcol:ip\"\n",
        "SecRule ARGS x \"id:1,setenv:=a\"\n",
        "SecRule ARGS x \"id:1,sanitiseMatchedBytes:a/4\"\n",
    ]));
}

#[test]
fn of_ctl() {
    assert_snapshot!(each(&[
        "SecRule ARGS x \"id:1,ctl:ruleEngine\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleEngin=Off\"\n",
        "SecRule ARGS x \"id:1,ctl:hashEngine=On\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleEngine=Of\"\n",
        "SecRule ARGS x \"id:1,ctl:requestBodyProcessor=YAML\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveById=9-5\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveById=a\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveByTag=\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveByTag=a(\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveTargetById=5\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveTargetById=5;!ARGS\"\n",
        "SecRule ARGS x \"id:1,ctl:ruleRemoveTargetByTag=a;ARG:b\"\n",
        "SecRule ARGS x \"id:1,ctl:auditLogParts=+Q\"\n",
    ]));
}

#[test]
fn of_rules_as_a_whole() {
    assert_snapshot!(each(&[
        "SecRule ARGS x\n",
        "SecRule ARGS x deny\n",
        "SecAction nolog,pass\n",
        "SecRule ARGS x id:0\n",
        "SecRule ARGS x id:one\n",
        "SecRule ARGS x id:99999999999999999999\n",
        "SecRule ARGS x \"id:1,deny,id:2\"\n",
        "SecRule ARGS x \"id:1,phase:1,phase:2\"\n",
        "SecRule ARGS x id:1\nSecAction \"id:1,pass\"\n",
        "SecRule ARGS x \"id:1,chain\"\n",
        "SecRule ARGS x \"id:1,chain\"\nSecMarker A\nSecRule TX:a x id:2\n",
        "SecRule ARGS x \"id:1,chain\"\nSecRule TX:a x \"chain\"\nSecRule TX:b x \"t:none,deny\"\n",
        "SecRule ARGS x \"id:1,chain\"\nSecRule TX:a x \"id:2\"\n",
        "SecRule ARGS x \"id:1,chain\"\nSecRule TX:a x \"phase:1\"\n",
        "SecRule ARGS x \"id:1,chain\"\nSecRule TX:a x \"tag:a,logdata:a\"\n",
        "SecRule ARGS x \"id:1,chain\"\nSecRule TX:a x \"skipAfter:A\"\n",
        "SecDefaultAction \"log,deny\"\n",
        "SecDefaultAction \"phase:1,log\"\n",
        "SecDefaultAction \"phase:1,log,block\"\n",
        "SecDefaultAction \"phase:1,id:1,deny\"\n",
        "SecDefaultAction \"phase:1,chain,deny\"\n",
    ]));
}

#[test]
fn of_removals_and_updates() {
    assert_snapshot!(each(&[
        "SecRuleRemoveById 5-\n",
        "SecRuleRemoveById \"1 2 x\"\n",
        "SecRuleRemoveById \"\"\n",
        "SecRuleRemoveByTag \"a[\"\n",
        "SecRuleUpdateTargetById 5\n",
        "SecRuleUpdateTargetById 5 !ARGZ\n",
        "SecRuleUpdateTargetById 5 TX:a ARGS|TX\n",
        "SecRuleUpdateTargetByTag a+++( !ARGS\n",
        "SecRuleUpdateActionById 0 deny\n",
        "SecRuleUpdateActionById 5:x deny\n",
        "SecRuleUpdateActionById 5 id:6\n",
        "SecRuleUpdateActionById 5 chain\n",
    ]));
}

#[test]
fn all_at_once_in_the_order_of_the_lines_and_none_twice() {
    assert_snapshot!(told(
        "SecRuleEngine Onn\n\
         SecRule ARG|ARGS:/a(/ \"@contians a\" \"id:x,phase:9,denny,chain\"\n\
         SecRule TX:a \"@eq 1\"\n\
         SecRule TX:b \"@eq 1\"\n\
         SecRule TX:c \"@eq 1\" \"id:5,setvar:'tx.a=%{no.a}%{nope}'\n\
         continued,\\\n\
         deny\"\n\
         SecRule TX:d \"@eq 1\" \"id:6\"\n"
    ));
}

#[test]
fn a_great_many_are_counted_and_the_first_shown() {
    let mistakes = read(&"no rule\n".repeat(250)).expect_err("mistakes");
    assert_eq!(mistakes.diagnostics().len(), 250);
    let shown = mistakes.to_string();
    assert_eq!(shown.matches("unknown directive").count(), 100);
    assert!(shown.ends_with("100 errors in 1 file\nand 150 more"), "{shown}");
}
