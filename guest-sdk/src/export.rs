//! The macro that turns a type into a component.

/// Makes an [`Adapter`](crate::Adapter) the component that this crate builds.
///
/// The list names the hooks that it implements, so that Powerstrip calls no others; without a
/// list it has `pre`, `post` and `unwind`. `events` is named where the adapter wants the Docker
/// Engine's events. Name, version and summary are those of the crate.
///
/// ```
/// # use powerstrip_sdk::{Adapter, Result};
/// struct Registrator;
///
/// impl Adapter for Registrator {
///     type Config = ();
///
///     fn new((): ()) -> Result<Self> {
///         Ok(Self)
///     }
/// }
///
/// powerstrip_sdk::export!(Registrator: post, unwind);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    ($adapter:ty) => {
        $crate::export!($adapter: pre, post, unwind);
    };
    ($adapter:ty: $($hook:ident),+ $(,)?) => {
        const _: () = {
            struct Exported;

            impl $crate::glue::Exported for Exported {
                type Adapter = $adapter;
                const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
                const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
                const SUMMARY: &'static str = ::core::env!("CARGO_PKG_DESCRIPTION");
                const HOOKS: &'static [$crate::glue::Hook] =
                    &[$($crate::glue::hooks::$hook),+];
            }

            #[cfg(target_family = "wasm")]
            type Component = $crate::glue::Component<Exported>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::export_component!(Component with_types_in $crate::bindings);

            // Natively there is nothing to export: the names that a component exports are none
            // that a native linker takes. This makes the adapter count as used.
            #[cfg(not(target_family = "wasm"))]
            const _: fn(&str) -> ::core::result::Result<(), ::std::string::String> =
                $crate::glue::validate::<$adapter>;
            #[cfg(not(target_family = "wasm"))]
            const _: fn() -> $crate::glue::Description = $crate::glue::describe::<Exported>;
        };
    };
}
