//! The code of functions: which functions it names.

use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{CodeSection, Function};
use wasmparser::{FunctionBody, VisitOperator, VisitSimdOperator};

use super::main_module::Main;
use super::{Error, place};

/// Copies a function; only the numbers of functions that it calls or refers to are others. They
/// take as many bytes as before where they can, so that all else keeps its place.
pub(super) fn copy(
    main: &mut Main<'_>,
    code: &mut CodeSection,
    body: &FunctionBody<'_>,
) -> Result<(), Error> {
    let (old, start) = (body.as_bytes(), body.range().start);
    let mut new = Vec::with_capacity(old.len());
    let mut copied = 0;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        // An instruction is one byte, and then the function's number.
        let number = operators.original_position() + 1 - start;
        let index = match operators.visit_operator(&mut Read)? {
            Named::Function(index) => index,
            Named::Table(index) => {
                main.table_index(index)?;
                continue;
            }
            Named::Neither => continue,
        };
        let end = operators.original_position() - start;
        new.extend_from_slice(&old[copied..number]);
        place::push_number(&mut new, main.function_index(index)?, end - number);
        copied = end;
    }
    new.extend_from_slice(&old[copied..]);
    code.raw(&new);
    Ok(())
}

/// A function that hands its parameters on to another in a table.
pub(super) fn detour(params: usize, slot: u32, type_index: u32, table: u32) -> Option<Function> {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for param in 0..u32::try_from(params).ok()? {
        code.local_get(param);
    }
    code.i32_const(i32::try_from(slot).ok()?).call_indirect(table, type_index).end();
    Some(function)
}

/// What an instruction names.
enum Named {
    /// This function.
    Function(u32),
    /// This table, and perhaps one with a lower number.
    Table(u32),
    /// No function and no table.
    Neither,
}

/// Reads what an instruction names. To make each instruction a value and look at that takes nearly
/// twice as long, and is felt at starts with many adapters.
struct Read;

macro_rules! named {
    (Call $index:ident) => {
        Named::Function($index)
    };
    (ReturnCall $index:ident) => {
        Named::Function($index)
    };
    (RefFunc $index:ident) => {
        Named::Function($index)
    };
    (CallIndirect $_type:ident $table:ident) => {
        Named::Table($table)
    };
    (ReturnCallIndirect $_type:ident $table:ident) => {
        Named::Table($table)
    };
    (TableGet $table:ident) => {
        Named::Table($table)
    };
    (TableSet $table:ident) => {
        Named::Table($table)
    };
    (TableGrow $table:ident) => {
        Named::Table($table)
    };
    (TableSize $table:ident) => {
        Named::Table($table)
    };
    (TableFill $table:ident) => {
        Named::Table($table)
    };
    (TableInit $_elements:ident $table:ident) => {
        Named::Table($table)
    };
    (TableCopy $one:ident $other:ident) => {
        Named::Table($one.max($other))
    };
    ($instruction:ident $($argument:ident)*) => {
        Named::Neither
    };
}

macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident $ann:tt)*) => {
        $(fn $visit(&mut self $($(, $arg: $ty)*)?) -> Named {
            $($(let _ = &$arg;)*)?
            named!($op $($($arg)*)?)
        })*
    };
}

impl<'a> VisitOperator<'a> for Read {
    type Output = Named;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Named>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

impl<'a> VisitSimdOperator<'a> for Read {
    wasmparser::for_each_visit_simd_operator!(visit);
}
