(component $component
  (import "greet" (func $greet (param "text" string) (result u32)))
  (import "twice" (func $twice (param "number" u32) (result u32)))
  (import "measure" (func $measure (param "text" string) (result u32)))

  (core module $main
    (type $text (func (param i32 i32) (result i32)))
    (import "host" "greet" (func $greet (type $text)))
    (import "host" "twice" (func $twice (param i32) (result i32)))
    (import "host" "measure" (func $measure (type $text)))
    (table $own 3 3 funcref)
    (memory (export "memory") 1)
    (global $picked funcref (ref.func $measure))
    (export "twice" (func $twice))
    (elem (table $own) (i32.const 0) func $measure $add)
    (data (i32.const 8) "world")
    (func $first (result i32) (call $greet (i32.const 8) (i32.const 5)))
    (func $add (type $text) (i32.add (local.get 1) (i32.const 1000)))
    (func (export "run") (result i32)
      (table.set $own (i32.const 2) (global.get $picked))
      (call $first)
      (i32.add (call $twice (i32.const 21)))
      (i32.add (call_indirect $own (type $text) (i32.const 8) (i32.const 3) (i32.const 0)))
      (i32.add (call_indirect $own (type $text) (i32.const 8) (i32.const 7) (i32.const 1)))
      (i32.add (call_indirect $own (type $text) (i32.const 8) (i32.const 4) (i32.const 2)))
      (table.set $own (i32.const 2) (ref.func $last))
      (i32.add (call_indirect $own (result i32) (i32.const 2))))
    (func $last (result i32) (i32.const 6))
    (elem declare func $last))

  (core module $shim
    (type $text (func (param i32 i32) (result i32)))
    (table (export "$imports") 2 2 funcref)
    (func (export "0") (type $text) local.get 0 local.get 1 i32.const 0 call_indirect (type $text))
    (func (export "1") (type $text) local.get 0 local.get 1 i32.const 1 call_indirect (type $text)))

  (core module $fixup
    (type $text (func (param i32 i32) (result i32)))
    (import "" "0" (func (type $text)))
    (import "" "1" (func (type $text)))
    (import "" "$imports" (table 2 2 funcref))
    (elem (i32.const 0) func 0 1))

  (core instance $shim_instance (instantiate $shim))
  (core func $twice (canon lower (func $twice)))
  (core instance $main_instance (instantiate $main
    (with "host" (instance
      (export "greet" (func $shim_instance "0"))
      (export "twice" (func $twice))
      (export "measure" (func $shim_instance "1"))))))
  (alias core export $main_instance "memory" (core memory $memory))
  (core func $greet (canon lower (func $greet) (memory $memory)))
  (core func $measure (canon lower (func $measure) (memory $memory)))
  (core instance (instantiate $fixup
    (with "" (instance
      (export "$imports" (table $shim_instance "$imports"))
      (export "0" (func $greet))
      (export "1" (func $measure))))))
  ;; more modules
  (func (export "run") (result u32) (canon lift (core func $main_instance "run"))))
