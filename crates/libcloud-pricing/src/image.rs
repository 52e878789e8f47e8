//! What an image costs beside the node: the licence of its operating system or data base.

use libcloud_common::{Error, ErrorKind, Price, Result};

use crate::Pricing;
use crate::table::PriceTable;

/// The table of the licences of Compute Engine's images.
const GCE_IMAGES: &str = "gce_images";

impl Pricing {
    /// What the licence of an image costs an hour, on a node of this size with so many cores.
    ///
    /// `driver_name` names the table, `gce_images` for Compute Engine, whose images tell by their names what is in them.
    /// Nothing for an image without a licence, and for a driver whose images have no prices of their own. `NotFound`
    /// where there is a licence and the table does not have its price.
    ///
    /// ```
    /// use libcloud_pricing::Pricing;
    ///
    /// let pricing = Pricing::bundled();
    /// assert!(pricing.get_image_price("gce_images", "debian-12-bookworm-v20240515", Some("n2-standard-4"), 4)?.is_zero());
    /// let sql = pricing.get_image_price("gce_images", "sql-2019-standard-windows-2019", None, 4)?;
    /// assert_eq!(sql.to_string(), "0.658");
    /// # Ok::<(), libcloud_common::Error>(())
    /// ```
    pub fn get_image_price(
        &self,
        driver_name: &str,
        image_name: &str,
        size_name: Option<&str>,
        cores: u32,
    ) -> Result<Price> {
        let Some(licence) = licence(image_name).filter(|_| driver_name == GCE_IMAGES) else {
            return Ok(Price::ZERO);
        };
        let table = self.get_pricing("compute", driver_name)?;
        let price = table.table(licence).and_then(|prices| of_licence(prices, image_name, size_name, cores));
        price.ok_or_else(|| {
            let message = format!("there is no price of the licence {licence} of the image `{image_name}`");
            Error::new(ErrorKind::NotFound, message).with_resource("price", image_name.to_owned())
        })
    }
}

/// The licence of an image, by its name. The first that fits: a data base comes with its Windows.
fn licence(image: &str) -> Option<&'static str> {
    let has = |word: &str| image.contains(word);
    Some(match () {
        () if has("sql") => "SQL Server",
        () if has("windows") => "Windows Server",
        () if has("rhel") && has("sap") => "RHEL with Update Services",
        () if has("sles") && has("sap") => "SLES for SAP",
        () if has("rhel") => "RHEL",
        () if has("sles") => "SLES",
        () => return None,
    })
}

fn of_licence(prices: &PriceTable, image: &str, size: Option<&str>, cores: u32) -> Option<Price> {
    let of_all_cores = |price: Price| price.checked_mul(cores.into());
    // By edition, as with SQL Server, whose price is that of a core.
    let editions = ["enterprise", "standard", "web"];
    if let Some(edition) = editions.into_iter().find(|edition| image.contains(edition))
        && let Some(entry) = prices.get(edition)
    {
        return entry.price().and_then(of_all_cores);
    }
    // By the number of cores.
    if let Some((_, entry)) = prices.iter().find(|(key, _)| holds(key, cores)) {
        return entry.price();
    }
    // The small sizes share a core.
    let shared = size.and_then(|size| ["f1", "g1"].into_iter().find(|shared| size.contains(shared)));
    if let Some(entry) = shared.and_then(|shared| prices.get(shared)) {
        return entry.price();
    }
    let price = prices.price("any")?;
    // SUSE asks the same of a node of any size, Microsoft a price a core.
    if image.contains("sles") { Some(price) } else { of_all_cores(price) }
}

/// Whether a key such as `4vcpu or less`, `1-2vcpu` or `6vcpu or more` holds for so many cores.
fn holds(key: &str, cores: u32) -> bool {
    let Some((number, rest)) = key.split_once("vcpu") else { return false };
    let range = number.split_once('-').unwrap_or((number, number));
    let (Ok(least), Ok(most)) = (range.0.trim().parse::<u32>(), range.1.trim().parse::<u32>()) else {
        return false;
    };
    match rest.trim() {
        "or less" => cores <= most,
        "or more" => cores >= least,
        _ => (least..=most).contains(&cores),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceTable;

    fn pricing() -> Pricing {
        let json = r#"{
            "RHEL": {"description": "d", "4vcpu or less": {"price": 0.06, "sku": "1"}, "6vcpu or more": {"price": 0.13}},
            "SLES": {"any": {"price": 0.11}, "f1": {"price": 0.02}, "g1": {"price": 0.03}},
            "SLES for SAP": {"1-2vcpu": {"price": 0.17}, "3-4vcpu": {"price": 0.34}, "6vcpu or more": {"price": 0.41}},
            "SQL Server": {"enterprise": {"price": 0.399}, "standard": {"price": 0.1645}, "web": {"price": 0.011}},
            "Windows Server": {"any": {"price": 0.046}, "f1": {"price": 0.023}}
        }"#;
        let table: PriceTable = serde_json::from_str(json).unwrap();
        let pricing = Pricing::bundled();
        pricing.set_pricing("compute", GCE_IMAGES, table);
        pricing
    }

    #[test]
    fn a_licence_is_told_by_the_images_name() {
        let pricing = pricing();
        for (image, size, cores, price) in [
            ("debian-10-buster-v20220519", Some("c2d-standard-4"), 4, "0"),
            ("rhel-7-v20220519", Some("n2d-highcpu-2"), 2, "0.06"),
            ("rhel-7-v20220519", None, 4, "0.06"),
            ("rhel-7-v20220519", None, 32, "0.13"),
            ("sles-15-v1", Some("n2-standard-8"), 8, "0.11"),
            ("sles-15-v1", Some("f1-micro"), 1, "0.02"),
            ("sles-15-v1", Some("g1-small"), 1, "0.03"),
            ("sles-15-sap-v20220126", None, 2, "0.17"),
            ("sles-15-sap-v20220126", None, 4, "0.34"),
            ("sles-15-sap-v20220126", None, 16, "0.41"),
            ("windows-server-2012-r2-dc-core", Some("n2-highcpu-2"), 2, "0.092"),
            ("windows-server-2012-r2-dc-core", Some("f1-micro"), 1, "0.023"),
            ("windows-server-2012-r2-dc-core", None, 1, "0.046"),
            ("sql-2012-standard-windows-2012-r2-dc", Some("g1 small"), 1, "0.1645"),
            ("sql-2012-enterprise-windows-2012-r2-dc", None, 4, "1.596"),
        ] {
            let found = pricing.get_image_price(GCE_IMAGES, image, size, cores).unwrap();
            assert_eq!(found.to_string(), price, "{image} {size:?} {cores}");
        }
    }

    #[test]
    fn an_unknown_price_of_a_licence_is_not_nothing() {
        let pricing = pricing();
        for (image, cores) in [("rhel-7-v1", 5), ("rhel-8-sap-v1", 2), ("sql-2019-express-windows", 1)] {
            let error = pricing.get_image_price(GCE_IMAGES, image, None, cores).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{image}");
            assert!(error.message().contains(image), "{error}");
        }
        assert!(pricing.get_image_price("azure_images", "windows", None, 1).unwrap().is_zero());
    }
}
