//! The functions of the crate, on one [`Pricing`] that the whole process shares.

use std::path::Path;
use std::sync::Arc;

use libcloud_common::{Price, Result};

use crate::{DownloadPricing, Downloaded, GetPricing, PriceTable, Pricing, SHARED};

/// The prices that the functions of this crate work on.
pub fn shared() -> &'static Pricing {
    &SHARED
}

/// The file that prices are read from; see [`Pricing::get_pricing_file_path`].
pub fn get_pricing_file_path() -> Option<&'static Path> {
    SHARED.get_pricing_file_path()
}

/// The prices of a driver; see [`Pricing::get_pricing`].
pub fn get_pricing(driver_type: &str, driver_name: &str) -> Result<Arc<PriceTable>> {
    SHARED.get_pricing(driver_type, driver_name)
}

/// The prices of a driver, from a file of one's own; see [`Pricing::get_pricing_with`].
pub fn get_pricing_with(
    driver_type: &str,
    driver_name: &str,
    options: GetPricing,
) -> Result<Arc<PriceTable>> {
    SHARED.get_pricing_with(driver_type, driver_name, options)
}

/// The price of a size; see [`Pricing::get_size_price`].
pub fn get_size_price(driver_type: &str, driver_name: &str, size_id: &str) -> Result<Price> {
    SHARED.get_size_price(driver_type, driver_name, size_id)
}

/// The price of a size in a region; see [`Pricing::get_size_price_in`].
pub fn get_size_price_in(driver_type: &str, driver_name: &str, size_id: &str, region: &str) -> Result<Price> {
    SHARED.get_size_price_in(driver_type, driver_name, size_id, region)
}

/// What the licence of an image costs; see [`Pricing::get_image_price`].
pub fn get_image_price(
    driver_name: &str,
    image_name: &str,
    size_name: Option<&str>,
    cores: u32,
) -> Result<Price> {
    SHARED.get_image_price(driver_name, image_name, size_name, cores)
}

/// Sets the prices of a driver for the whole process; see [`Pricing::set_pricing`].
pub fn set_pricing(driver_type: &str, driver_name: &str, prices: PriceTable) {
    SHARED.set_pricing(driver_type, driver_name, prices);
}

/// Forgets all prices; see [`Pricing::clear_pricing_data`].
pub fn clear_pricing_data() {
    SHARED.clear_pricing_data();
}

/// Forgets all prices; see [`Pricing::invalidate_pricing_cache`].
pub fn invalidate_pricing_cache() {
    SHARED.invalidate_pricing_cache();
}

/// Forgets the prices of one driver; see [`Pricing::invalidate_module_pricing_cache`].
pub fn invalidate_module_pricing_cache(driver_type: &str, driver_name: &str) {
    SHARED.invalidate_module_pricing_cache(driver_type, driver_name);
}

/// Fetches the current price file; see [`Pricing::download_pricing_file`].
pub async fn download_pricing_file(options: DownloadPricing) -> Result<Downloaded> {
    SHARED.download_pricing_file(options).await
}
