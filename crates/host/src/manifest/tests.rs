//! What a manifest may say and what is refused, by name.

use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"a\"\nversion = \"1.0.0\"\n";

fn parse(body: &str) -> Result<Manifest> {
    Manifest::parse(Path::new("folder/spin.toml"), &format!("{HEAD}{body}"))
}

#[test]
fn a_manifest_is_read_as_written() {
    let manifest = parse(
        r#"
        authors = ["someone"]
        description = "An application"
        [variables]
        admin_key = { default = "", secret = true, description = "for the first call" }
        origin = { required = true }
        [[trigger.http]]
        route = "/v1/a/..."
        component = "a"
        [[trigger.http]]
        id = "inner"
        route = { private = true }
        component = "a"
        [[trigger.cron]]
        component = "a"
        cron_expression = "0 * * * * *"
        [component.a]
        source = "target/a.wasm"
        description = "Does a"
        allowed_outbound_hosts = ["{{ origin }}"]
        sqlite_databases = ["default"]
        key_value_stores = ["default", "other"]
        [component.a.variables]
        key = "{{ admin_key }}"
        [component.a.build]
        command = "cargo build"
        workdir = "."
        watch = ["src"]
        [component.a.tool.editor]
        anything = true
        [component.a.tool.dunlin]
        gathers = true
        [component.b]
        source = "b.wasm"
        [component.b.tool.editor]
        gathers = true
        "#,
    )
    .unwrap();
    assert_eq!(manifest.name, "a");
    assert_eq!(manifest.http[0].route.as_deref(), Some("/v1/a/..."));
    assert_eq!(manifest.http[1].route, None);
    assert_eq!(manifest.cron[0].expression, "0 * * * * *");
    assert!(manifest.variables["admin_key"].secret && manifest.variables["origin"].required);
    let component = &manifest.components["a"];
    assert_eq!(manifest.source(component), Path::new("folder/target/a.wasm"));
    assert_eq!(component.description, "Does a");
    assert!(component.gathers && !manifest.components["b"].gathers);
    assert_eq!(component.key_value_stores, ["default", "other"]);
    let given = BTreeMap::from([("origin".to_owned(), "https://x.example".to_owned())]);
    let variables = Resolved::new(&manifest, &given).unwrap();
    assert_eq!(variables.fill(&component.allowed_outbound_hosts[0]).unwrap(), "https://x.example");
    assert!(Resolved::new(&manifest, &BTreeMap::new()).is_err());
    assert!(!format!("{variables:?}").contains("x.example"), "values may be secrets");
}

/// Each case: what is added to a plain manifest, and what the refusal must say.
#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let component = "[component.a]\nsource = \"a.wasm\"\n";
    for (body, said) in [
        ("[[trigger.redis]]\nchannel = \"c\"", "[trigger] uses `redis`"),
        ("[component.a]\nsource = \"a.wasm\"\nfiles = []", "[component.a] uses `files`"),
        ("[component.a]\nsource = \"a.wasm\"\nai_models = []", "[component.a] uses `ai_models`"),
        (
            "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\nx = \"1\"",
            "`dependencies`",
        ),
        (
            "[component.a]\nsource = \"a.wasm\"\n[component.a.environment]\nX = \"1\"",
            "`environment`",
        ),
        ("[component.a]\nsource = { url = \"https://x\" }", "takes its source from a URL"),
        (
            "[[trigger.http]]\nroute = \"/\"\n[trigger.http.component]\nsource = \"a.wasm\"",
            "in place",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.tool.dunlin]\ngather = true",
            "[component.a.tool.dunlin] uses `gather`",
        ),
        (
            "[component.a]\nsource = \"a\"\n[component.a.tool.dunlin]\ngathers = 1",
            "`gathers` must be true or false",
        ),
        ("[application.trigger.http]\nbase = \"/x\"", "[application] uses `trigger`"),
        (
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\nexecutor = { type = \"wagi\" }",
            "`executor`",
        ),
        ("[[trigger.http]]\nroute = \"/\"\ncomponent = \"b\"", "no [component.b]"),
        ("[[trigger.http]]\nroute = { private = false }\ncomponent = \"a\"", "private = true"),
        ("[[trigger.http]]\ncomponent = \"a\"", "no `route`"),
        ("[[trigger.http]]\nroute = \"/\"", "no `component`"),
        ("[[trigger.cron]]\ncomponent = \"a\"", "no `cron_expression`"),
        ("[component.a]\ndescription = \"x\"", "no `source`"),
        ("[component.a]\nsource = \"a\"\nsqlite_databases = [\"../x\"]", "the label \"../x\""),
        ("[component.a]\nsource = \"a\"\nsqlite_databases = \"default\"", "must be a list"),
        ("[component.a]\nsource = \"a\"\nallowed_outbound_hosts = [\"{{ x\"]", "never closes"),
        ("[variables]\nUPPER = { default = \"\" }", "`UPPER`"),
        ("[variables]\nx = { value = \"\" }", "[variables.x] uses `value`"),
        ("[extra]\nx = 1", "the manifest uses `extra`"),
    ] {
        let plain = if body.contains("[component.a]") { "" } else { component };
        let refused = format!("{:#}", parse(&format!("{body}\n{plain}")).unwrap_err());
        assert!(refused.contains(said), "{body}\n→ {refused}");
        if refused.contains(" uses `") || refused.contains("URL") || refused.contains("in place") {
            assert!(refused.contains("spin up"), "{refused}");
        }
    }
}

#[test]
fn the_version_and_the_application_are_needed() {
    for text in ["", "spin_manifest_version = 1", "spin_manifest_version = 2", "not toml at all ["]
    {
        assert!(Manifest::parse(Path::new("spin.toml"), text).is_err(), "{text}");
    }
}
