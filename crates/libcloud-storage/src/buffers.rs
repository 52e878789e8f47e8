//! Buffers that have been sent and can be filled again: to clear a new one, and to map its pages, costs as much as to read,
//! and large ones that come and go leave holes in the heap.

use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

/// Those of one transfer. Clones share them; there are as many as were ever needed at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// One that is filled, until nobody needs its bytes any more.
pub(crate) struct Lent {
    pub(crate) bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// One that has served, with what is still in it, or a new one.
    pub(crate) fn lend(&self) -> Lent {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lent { bytes: bytes.unwrap_or_default(), home: self.clone() }
    }

    /// How many nobody uses.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let bytes = take(&mut self.bytes);
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}
