//! Which places in the code a brief touches.

use super::prelude::*;
use entity::prd_symbol_link;

node! {
    /// A place in the code that a brief is expected to touch.
    PRDSymbolLink in prd_symbol_link (prd_symbol_link, prd_symbol_links) {
        columns {
            id: IdFilter,
            prd_id: IdFilter,
            symbol_id: StringFilter,
            symbol_name: StringFilter,
            file: StringFilter,
            line: IntFilter,
            confidence: FloatFilter,
            source: EnumFilter<prd_symbol_link::SymbolLinkSource>,
            created_at: DateTimeFilter,
        }
        one {
            /// The brief that touches the symbol.
            prd: PRD by prd_id,
        }
    }
}
