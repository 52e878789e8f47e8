use libcloud_common::Sources;

use super::*;

fn with<'a>(variables: &[(&'a str, &'a str)], files: &[(&'a str, &'a str)]) -> Sources {
    Sources::of(variables.iter().copied(), files.iter().copied())
}

fn look(config: &Config, sources: &Sources) -> Result<Found> {
    let options: OpenStackOptions = config.driver_options("openstack").unwrap();
    find(config, &options, AuthVersion::V3Password, true, &mut Search::new(sources))
}

fn exposed(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}

const CLOUDS: &str = "
clouds:
  work:
    auth:
      auth_url: https://identity.cloud.example:5000/v3
      username: alice
      password: 00123
      project_name: web
      user_domain_name: Default
    region_name: RegionTwo
    identity_api_version: 3
    interface: internal
    verify: false
    cacert: /etc/ssl/cloud.pem
    networks: [{name: private, nat_source: true}]
  machine:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://identity.cloud.example:5000/v3
      application_credential_id: abc
  old:
    identity_api_version: '2.0'
    auth: {auth_url: http://old.example/v2.0, username: bob, password: canary, tenant_name: t}
  vendor:
    profile: acme
    auth: {username: bob}
";

const SECURE: &str = "clouds: {machine: {auth: {application_credential_secret: canary-app}}}";

#[test]
fn the_configuration_wins_and_is_not_mixed_with_anything() {
    let machine = with(&[("OS_CLOUD", "work"), ("OS_USERNAME", "env"), ("OS_PASSWORD", "env")], &[]);
    let found = look(&Config::new("me", "mine"), &machine).unwrap();
    assert_eq!(found.credentials.username.as_deref(), Some("me"));
    assert_eq!(exposed(found.credentials.password.as_ref()), Some("mine"));
    assert_eq!(found.credentials.auth_url, None);
    assert_eq!(found.region, None);
}

#[test]
fn variables_are_read_under_new_and_old_names() {
    let machine = with(
        &[
            ("OS_AUTH_URL", "https://identity.example/v3"),
            ("OS_USERNAME", "alice"),
            ("OS_PASSWORD", "canary"),
            ("OS_TENANT_NAME", "web"),
            ("OS_PROJECT_NAME", ""),
            ("OS_REGION_NAME", "R"),
            ("OS_ENDPOINT_TYPE", "internalURL"),
            ("OS_CACERT", "/ca.pem"),
        ],
        &[],
    );
    let found = look(&Config::anonymous(), &machine).unwrap();
    assert_eq!(found.version, AuthVersion::V3Password);
    assert_eq!(found.credentials.project_name.as_deref(), Some("web"));
    assert_eq!((found.region.as_deref(), found.interface), (Some("R"), Some(Interface::Internal)));
    assert_eq!(found.ca_file, Some("/ca.pem".into()));
    assert!(!format!("{found:?}").contains("canary"));
}

#[test]
fn how_to_log_in_follows_from_what_there_is() {
    let user = ("OS_USERNAME", "alice");
    for (variables, version) in [
        (vec![user, ("OS_PASSWORD", "p")], AuthVersion::V3Password),
        (vec![("OS_TOKEN", "t")], AuthVersion::V3Token),
        (vec![("OS_APPLICATION_CREDENTIAL_ID", "a")], AuthVersion::V3AppCred),
        (vec![user, ("OS_IDENTITY_API_VERSION", "2")], AuthVersion::V2Password),
        (
            vec![user, ("OS_AUTH_TYPE", "password"), ("OS_IDENTITY_API_VERSION", "2.0")],
            AuthVersion::V2Password,
        ),
        (
            vec![user, ("OS_AUTH_TYPE", "v3password"), ("OS_IDENTITY_API_VERSION", "2")],
            AuthVersion::V3Password,
        ),
        (vec![user, ("OS_AUTH_TYPE", "v3token")], AuthVersion::V3Token),
    ] {
        assert_eq!(
            look(&Config::anonymous(), &with(&variables, &[])).unwrap().version,
            version,
            "{variables:?}"
        );
    }
    let unknown = with(&[user, ("OS_AUTH_TYPE", "v3oidcpassword")], &[]);
    let error = look(&Config::anonymous(), &unknown).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    // An option is the last word.
    let config = Config::anonymous().option("auth_version", "2.0_password");
    assert_eq!(look(&config, &a_user()).unwrap().version, AuthVersion::V2Password);
}

fn a_user() -> Sources {
    with(&[("OS_USERNAME", "alice"), ("OS_PASSWORD", "p")], &[])
}

#[test]
fn a_named_cloud_goes_before_variables() {
    let machine = with(
        &[("OS_CLOUD", "work"), ("OS_USERNAME", "env")],
        &[("/home/me/.config/openstack/clouds.yaml", CLOUDS), ("/etc/openstack/clouds.yaml", "broken: [")],
    );
    let found = look(&Config::anonymous(), &machine).unwrap();
    assert_eq!(found.credentials.username.as_deref(), Some("alice"));
    // Digits stay what they are.
    assert_eq!(exposed(found.credentials.password.as_ref()), Some("00123"));
    assert_eq!(found.credentials.auth_url.as_deref(), Some("https://identity.cloud.example:5000/v3"));
    assert_eq!((found.region.as_deref(), found.interface), (Some("RegionTwo"), Some(Interface::Internal)));
    assert_eq!((found.ca_file, found.verify_certificates), (Some("/etc/ssl/cloud.pem".into()), false));
}

#[test]
fn secrets_may_stand_in_a_file_of_their_own() {
    let machine = with(
        &[("XDG_CONFIG_HOME", "/xdg")],
        &[("clouds.yaml", CLOUDS), ("/xdg/openstack/secure.yaml", SECURE)],
    );
    let found = look(&Config::anonymous().option("cloud", "machine"), &machine).unwrap();
    assert_eq!(found.version, AuthVersion::V3AppCred);
    let credentials = &found.credentials;
    assert_eq!(credentials.application_credential_id.as_deref(), Some("abc"));
    assert_eq!(exposed(credentials.application_credential_secret.as_ref()), Some("canary-app"));
    assert!(!format!("{found:?}").contains("canary"));
    let error = credentials.missing("project");
    assert_eq!(error.to_string(), "the project is missing in the cloud `machine` in clouds.yaml");
}

#[test]
fn another_file_and_the_old_version() {
    let machine = with(
        &[("OS_CLOUD", "old"), ("OS_CLIENT_CONFIG_FILE", "/my/clouds.yaml")],
        &[("/my/clouds.yaml", CLOUDS), ("clouds.yaml", "clouds: {}")],
    );
    let found = look(&Config::anonymous(), &machine).unwrap();
    assert_eq!(
        (found.version, found.credentials.project_name.as_deref()),
        (AuthVersion::V2Password, Some("t"))
    );
}

#[test]
fn what_is_wrong_with_the_file_is_told_without_what_stands_in_it() {
    let broken = "clouds:\n  work:\n    auth:\n      password: [canary\n";
    for (cloud, file, text) in [
        ("wort", CLOUDS, "clouds.yaml has no cloud `wort`; did you mean `work`?"),
        ("x-y-z", CLOUDS, "it has machine, old, vendor, work"),
        ("vendor", CLOUDS, "profiles are not known here"),
        ("work", broken, "clouds.yaml is not as it should be in line"),
        (
            "work",
            "clouds: {work: {auth: {password: [canary]}}}",
            "clouds.yaml is not as it should be in line 1",
        ),
    ] {
        let machine = with(&[("OS_CLOUD", cloud)], &[("clouds.yaml", file)]);
        let error = look(&Config::anonymous(), &machine).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let error = look(&Config::anonymous(), &with(&[("OS_CLOUD", "work")], &[])).unwrap_err();
    assert!(
        error.to_string().contains("none in clouds.yaml, clouds.yml, /home/me/.config/openstack/clouds.yaml"),
        "{error}"
    );
}

#[test]
fn without_any_the_error_says_where_to_put_them() {
    let error = look(&Config::anonymous(), &with(&[], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(
        error.to_string(),
        "the user is missing: give it in the configuration, the variable OS_USERNAME or the variable OS_USER_ID"
    );
}

#[test]
fn the_search_remembers_where_it_looked() {
    let sources = with(&[("OS_CLOUD", "work")], &[("/etc/openstack/clouds.yaml", CLOUDS)]);
    let mut search = Search::new(&sources);
    let options = OpenStackOptions::default();
    find(&Config::anonymous(), &options, AuthVersion::V3Password, true, &mut search).unwrap();
    let looks: Vec<_> = search.looks().iter().map(|look| (&*look.what, &*look.place, look.found)).collect();
    assert_eq!(
        looks,
        [
            ("user", "the configuration", false),
            ("token", "the configuration", false),
            ("cloud", "the configuration", false),
            ("cloud", "the variable OS_CLOUD", true),
            ("cloud", "the file /etc/openstack/clouds.yaml", true),
        ]
    );
}
