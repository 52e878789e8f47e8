//! Where the keys come from.

use std::path::PathBuf;

use libcloud_common::{Config, Error, Result, Search, Secret, Url, ini};

/// The keys of a user, and where the service is if that was told beside them.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) key: Secret,
    pub(crate) secret: Secret,
    pub(crate) endpoint: Option<Url>,
}

const KEY: &str = "API key";
const SECRET: &str = "secret key";

impl Credentials {
    /// Those of the configuration, else of the environment, else of a file; never a mixture. A region stands for a section of
    /// the file, so with one only that is asked.
    pub(crate) fn find(config: &Config, search: &mut Search) -> Result<Self> {
        if let Some(key) = search.given(KEY, config.key.as_ref()) {
            if let Some(region) = &config.region {
                return Err(Error::invalid_argument(format!(
                    "the region `{region}` stands for a section of cloudstack.ini, and the API key is given: leave one out"
                ))
                .with_resource("option", "region"));
            }
            let secret = search.given(SECRET, config.secret.as_ref());
            let secret = secret.ok_or_else(|| search.missing(SECRET))?;
            return Ok(Self { key, secret, endpoint: of_environment(search)? });
        }
        if config.region.is_none()
            && let Some(key) = search.variable(KEY, "CLOUDSTACK_KEY")
        {
            let secret = search.variable(SECRET, "CLOUDSTACK_SECRET");
            let secret = secret.ok_or_else(|| search.missing(SECRET))?;
            return Ok(Self { key, secret, endpoint: of_environment(search)? });
        }
        Self::of_files(config.region.as_deref().unwrap_or("cloudstack"), search)
    }

    fn of_files(section: &str, search: &mut Search) -> Result<Self> {
        let home = search.sources().home().map(|home| home.join(".cloudstack.ini"));
        for path in [Some(PathBuf::from("cloudstack.ini")), home].into_iter().flatten() {
            let place = format!("the section [{section}] of {}", path.display());
            let in_file = |error: Error| error.context(path.display());
            let sections = search.sources().file(&path)?.map(|text| ini::parse(&text)).transpose();
            let mut values =
                sections.map_err(in_file)?.unwrap_or_default().remove(section).unwrap_or_default();
            let mut take = |name: &str| values.remove(name).filter(|value| !value.is_empty());
            let (key, secret, endpoint) = (take("key"), take("secret"), take("endpoint"));
            let Some(key) = search.note(KEY, &place, key) else { continue };
            let secret = search.note(SECRET, &place, secret).ok_or_else(|| search.missing(SECRET))?;
            let endpoint = endpoint.map(|url| parsed(&url, &place)).transpose()?;
            return Ok(Self { key: key.into(), secret: secret.into(), endpoint });
        }
        Err(search.missing(KEY))
    }
}

/// For the registration.
pub(crate) fn find(config: &Config, search: &mut Search) -> Result<()> {
    Credentials::find(config, search).map(drop)
}

fn of_environment(search: &Search) -> Result<Option<Url>> {
    let value = search.sources().variable("CLOUDSTACK_ENDPOINT");
    value.map(|url| parsed(&url, "the variable CLOUDSTACK_ENDPOINT")).transpose()
}

fn parsed(url: &str, place: &str) -> Result<Url> {
    let url = url.parse::<Url>().ok().filter(Url::has_host);
    url.ok_or_else(|| {
        Error::invalid_argument(format!(
            "the endpoint in {place} is no URL, such as https://cloud.example.org/client/api"
        ))
    })
}

#[cfg(test)]
mod tests {
    use libcloud_common::{ErrorKind, Sources};

    use super::*;

    const FILE: &str = "[cloudstack]\nendpoint = https://one.example/client/api\nkey = file-key\nsecret = file-secret\n\
                        [two]\nendpoint = https://two.example/api\nkey = two-key\nsecret = two-secret\n[half]\nkey = k\n\
                        [odd]\nendpoint = canary\nkey = k\nsecret = s\n";

    fn search(variables: &[(&'static str, &'static str)], files: &[(&'static str, &'static str)]) -> Search {
        Search::new(&Sources::of(variables.iter().copied(), files.iter().copied()))
    }

    fn keys(found: &Credentials) -> (&str, &str, Option<&str>) {
        (found.key.expose(), found.secret.expose(), found.endpoint.as_ref().map(Url::as_str))
    }

    #[test]
    fn the_first_place_that_has_a_key_has_all() {
        let variables = [
            ("CLOUDSTACK_KEY", "env-key"),
            ("CLOUDSTACK_SECRET", "env-secret"),
            ("CLOUDSTACK_ENDPOINT", "https://env.example/client/api"),
        ];
        let files = [("/home/me/.cloudstack.ini", FILE)];
        let env = Some("https://env.example/client/api");

        let found = Credentials::find(&Config::new("k", "s"), &mut search(&variables, &files)).unwrap();
        assert_eq!(keys(&found), ("k", "s", env));
        let found = Credentials::find(&Config::anonymous(), &mut search(&variables, &files)).unwrap();
        assert_eq!(keys(&found), ("env-key", "env-secret", env));
        let found = Credentials::find(&Config::anonymous(), &mut search(&[], &files)).unwrap();
        assert_eq!(keys(&found), ("file-key", "file-secret", Some("https://one.example/client/api")));
        // A region names a section, so the environment is not asked.
        let region = Config::anonymous().region("two");
        let found = Credentials::find(&region, &mut search(&variables, &files)).unwrap();
        assert_eq!(keys(&found), ("two-key", "two-secret", Some("https://two.example/api")));
        // The file of the folder comes before that of the home.
        let files =
            [("/home/me/.cloudstack.ini", FILE), ("cloudstack.ini", "[cloudstack]\nkey=here\nsecret=s")];
        let found = Credentials::find(&Config::anonymous(), &mut search(&[], &files)).unwrap();
        assert_eq!(keys(&found), ("here", "s", None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_its_place() {
        let files = [("/home/me/.cloudstack.ini", FILE)];
        let refuse =
            |config: &Config, files: &[_]| Credentials::find(config, &mut search(&[], files)).unwrap_err();
        let error = refuse(&Config::anonymous(), &[]);
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert_eq!(
            error.to_string(),
            "the API key is missing: give it in the configuration, the variable CLOUDSTACK_KEY, the section [cloudstack] of \
             cloudstack.ini or the section [cloudstack] of /home/me/.cloudstack.ini"
        );
        assert_eq!(refuse(&Config::with_key("k"), &files).kind(), ErrorKind::InvalidCredentials);
        let error = refuse(&Config::anonymous().region("half"), &files);
        assert!(error.to_string().contains("[half] of /home/me/.cloudstack.ini"), "{error}");
        let error = refuse(&Config::anonymous().region("odd"), &files);
        assert!(error.to_string().contains("is no URL") && !error.to_string().contains("canary"), "{error}");
        let error = refuse(&Config::new("k", "s").region("two"), &files);
        assert!(error.to_string().contains("stands for a section"), "{error}");
        let error = refuse(&Config::anonymous(), &[("cloudstack.ini", "canary")]);
        assert_eq!(error.to_string(), "cloudstack.ini: line 1 is neither `[section]` nor `key = value`");
    }
}
