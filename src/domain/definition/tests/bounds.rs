//! Bodies that are large, deep or hostile: each costs a bounded time.

use super::*;

#[test]
fn issues_are_counted_and_not_all_listed() {
    let body = |count: usize| {
        let mut body = json!({"name": "teams", "version": "1.0.0"});
        (0..count).for_each(|n| body[format!("odd{n}")] = json!("x"));
        body
    };
    assert_eq!(issues(&body(200)).len(), 200);
    assert_eq!(issues(&body(200))[199].rule, Rule::UnknownKey);
    for (count, says) in [
        (201, "request/body has 2 more issues, which are not listed"),
        (1_199, "request/body has 1000 more issues, which are not listed"),
        (50_000, "request/body has more than 10001 more issues, which are not listed"),
    ] {
        let issues = issues(&body(count));
        assert_eq!((issues.len(), issues[199].rule, issues[199].message.as_str()), (200, Rule::More, says));
    }
}
