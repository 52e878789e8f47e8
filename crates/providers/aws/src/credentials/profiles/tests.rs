use libcloud_common::{ErrorKind, Sources};

use super::*;

fn profiles(text: &str, kind: Kind) -> Profiles {
    parse(text, kind).unwrap()
}

#[test]
fn sections_are_profiles_by_the_rules_of_their_file() {
    let text = "; top\n[default]\nregion = eu-west-1 # here\n[profile a]  ; of mine\nRole_Arn=arn:aws:iam::1:role/a\n\
                [b]\nregion = x\n[sso-session s]\nsso_region = y\n[profile  c]\nsecret = a#b;c\nempty =\n";
    let config = profiles(text, Kind::Config);
    assert_eq!(config["default"]["region"], "eu-west-1");
    assert_eq!(config["a"]["role_arn"], "arn:aws:iam::1:role/a");
    // Without white space before it the sign is part of the value.
    assert_eq!(config["c"]["secret"], "a#b;c");
    assert_eq!(config["c"]["empty"], "");
    assert_eq!(config.keys().collect::<Vec<_>>(), ["a", "c", "default"]);

    let credentials = profiles("[default]\na = 1\n[b]\na = 2\n[profile c]\na = 3\n", Kind::Credentials);
    assert_eq!(credentials.keys().collect::<Vec<_>>(), ["b", "default"]);
}

#[test]
fn the_longer_name_of_the_default_goes_first() {
    for text in [
        "[profile default]\nregion = long\n[default]\nregion = short\n",
        "[default]\nregion = short\n[profile default]\nregion = long\n",
    ] {
        assert_eq!(profiles(text, Kind::Config)["default"]["region"], "long");
    }
}

#[test]
fn what_is_indented_belongs_to_the_line_above() {
    let text = "[profile a]\ns3 =\n  aws_access_key_id = nested\n  b = 2\nregion = x\n";
    let config = profiles(text, Kind::Config);
    assert_eq!(config["a"]["s3"], "\naws_access_key_id = nested\nb = 2");
    assert!(!config["a"].contains_key("aws_access_key_id"));
}

#[test]
fn a_wrong_line_is_told_by_its_number_alone() {
    for (text, problem) in [
        ("[default]\ncanary", "line 2 is neither"),
        ("[default]\n= canary", "line 2 is neither"),
        ("[default\ncanary = 1", "line 1 begins a section"),
        ("[default]\n canary = 1", "line 2 is indented under nothing"),
    ] {
        let error = parse(text, Kind::Credentials).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(problem) && !error.to_string().contains("canary"), "{error}");
    }
    // What stands in no profile is of no concern.
    assert!(profiles("canary\n[services x]\ns3 = \n  endpoint\n", Kind::Config).is_empty());
}

fn resolved(sources: &Sources, name: Option<&str>) -> Result<Option<Credentials>> {
    find(&Config::anonymous(), &mut Search::new(sources), name)
}

fn error(config: &str, name: &str) -> String {
    let sources = Sources::of([], [("/home/me/.aws/config", config)]);
    let error = resolved(&sources, Some(name)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
    error.to_string()
}

#[tokio::test]
async fn what_both_files_have_the_file_of_credentials_says() {
    let sources = Sources::of(
        [],
        [
            (
                "/home/me/.aws/config",
                "[profile a]\nregion = eu-west-1\naws_access_key_id = old\naws_secret_access_key = old\n",
            ),
            (
                "/home/me/.aws/credentials",
                "[a]\naws_access_key_id = new\naws_secret_access_key = canary\naws_session_token = t\n",
            ),
        ],
    );
    let found = resolved(&sources, Some("a")).unwrap().unwrap();
    let key = found.key().await.unwrap();
    assert_eq!((key.access_key.expose(), key.secret_key.expose()), ("new", "canary"));
    assert_eq!(key.token.as_ref().unwrap().expose(), "t");
    assert_eq!(found.region(), Some("eu-west-1"));
    assert!(!format!("{found:?}").contains("canary"));

    // Nobody asked for the profile `default`, which is not there.
    assert!(resolved(&sources, None).unwrap().is_none());
    let error = resolved(&sources, Some("b")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/home/me/.aws/credentials and /home/me/.aws/config: there is no profile `b`"
    );
}

#[tokio::test]
async fn variables_say_which_files_and_which_profile() {
    let sources = Sources::of(
        [
            ("AWS_PROFILE", "work"),
            ("AWS_CONFIG_FILE", "~/elsewhere/config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/etc/keys"),
        ],
        [
            ("/home/me/elsewhere/config", "[profile work]\nregion = eu-north-1\n"),
            ("/etc/keys", "[work]\naws_access_key_id = k\naws_secret_access_key = s\n"),
        ],
    );
    let found = resolved(&sources, None).unwrap().unwrap();
    assert_eq!(found.key().await.unwrap().access_key.expose(), "k");
    assert_eq!(found.region(), Some("eu-north-1"));
}

#[test]
fn a_role_has_a_source() {
    const ROLE: &str = "role_arn = arn:aws:iam::1:role/r\n";
    let leads = |more: &str| {
        let config = format!(
            "[profile a]\n{ROLE}{more}\n[profile key]\naws_access_key_id = k\naws_secret_access_key = canary\n\
             [profile chain]\n{ROLE}source_profile = key\n"
        );
        let sources = Sources::of([], [("/home/me/.aws/config", config.as_str())]);
        format!("{:?}", resolved(&sources, Some("a")).unwrap().unwrap())
    };
    let role = "Credentials { source: Role(Role { arn: \"arn:aws:iam::1:role/r\", session_name: \"libcloud\", \
                external_id: None, duration: None }), region: None }";
    assert_eq!(leads("source_profile = key"), role);
    assert_eq!(leads("source_profile = chain"), role);
    assert_eq!(leads("credential_source = Ec2InstanceMetadata"), role);
    // A profile whose source is itself is meant with its own key.
    assert_eq!(leads("source_profile = a\naws_access_key_id = k\naws_secret_access_key = canary"), role);
    assert!(leads("web_identity_token_file = /t\nrole_session_name = me").contains("WebIdentity(Role"));
}

#[test]
fn what_cannot_lead_to_a_key_is_told() {
    for (config, text) in [
        ("[profile a]\naws_access_key_id = canary\n", "it has `aws_access_key_id` but no"),
        ("[profile a]\naws_secret_access_key = canary\n", "but no `aws_access_key_id`"),
        ("[profile a]\nrole_arn = r\n", "beside `role_arn` it needs"),
        ("[profile a]\nrole_arn = r\nsource_profile = b\ncredential_source = Environment\n", "it needs"),
        ("[profile a]\nrole_arn = r\nsource_profile = b\n", "the profile `b`: it is not there"),
        (
            "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n",
            "the profile `a`: it is not there, or leads to itself",
        ),
        ("[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nregion = x\n", "has no access key"),
        ("[profile a]\nrole_arn = r\ncredential_source = Moon\n", "not `Moon`"),
        ("[profile a]\nrole_arn = r\ncredential_source = Environment\n", "has no access key"),
        ("[profile a]\nrole_arn = r\nmfa_serial = m\nsource_profile = a\n", "`mfa_serial`"),
        ("[profile a]\nsso_session = s\n", "it logs in by SSO"),
    ] {
        let error = error(config, "a");
        assert!(error.contains(text), "{error}");
    }
}
