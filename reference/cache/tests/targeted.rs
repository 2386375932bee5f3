//! RFC 9213: CDN-Cache-Control.

mod support;

use support::{Origin, World};

#[test]
fn a_valid_targeted_field_is_the_only_one_that_counts() {
    let (hour, never) = ("Cache-Control: max-age=3600", "Cache-Control: no-store");
    for (targeted, other, reused) in [
        (&["CDN-Cache-Control: max-age=60"][..], never, true),
        (&["CDN-Cache-Control: max-age=60"], "Expires: 0", true),
        (&["CDN-Cache-Control: max-age=60"], "Cache-Control: private, max-age=0", true),
        (&["CDN-Cache-Control: no-store"], hour, false),
        (&["CDN-Cache-Control: no-store=?0, max-age=60"], never, true),
        (&["CDN-Cache-Control: private"], hour, false),
        (&["CDN-Cache-Control: private=\"x\", max-age=60"], never, true),
        (&["CDN-Cache-Control: no-cache"], hour, false),
        (&["CDN-Cache-Control: max-age=0"], hour, false),
        (&["CDN-Cache-Control: max-age=-60"], hour, false),
        (&["CDN-Cache-Control: max-age=\"60\""], hour, false),
        (&["CDN-Cache-Control: max-age=60.0"], hour, false),
        (&["CDN-Cache-Control: max-age=60;x=1"], never, true),
        (&["CDN-Cache-Control: max-age=1", "CDN-Cache-Control: max-age=60"], never, true),
        (&["CDN-Cache-Control: unknown"], hour, false),
        (&["CDN-Cache-Control:"], hour, true),
        (&["CDN-Cache-Control: no-store, &&&"], hour, true),
        (&["CDN-Cache-Control: max-age=60, &&&"], never, false),
        (&["CDN-Cache-Control: MAX-AGE=60"], never, false),
        (&["Surrogate-Control: max-age=60"], never, false),
    ] {
        let mut world = World::rfc();
        let response = [targeted, &[other]].concat();
        world.get("/", &[], &Origin::Answers(200, &response, "one"));
        world.advance(30);
        let second = world.get("/", &[], &Origin::Answers(200, &[], "two"));
        assert_eq!(!second.asked, reused, "{response:?}");
        if reused {
            let kept = |name| response.iter().any(|line| line.starts_with(name));
            assert_eq!(second.fields.contains("cache-control"), kept("Cache-Control"));
            assert!(second.fields.contains("cdn-cache-control"), "it is passed on");
        }
    }
}
