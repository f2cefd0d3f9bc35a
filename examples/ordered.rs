// SPDX-License-Identifier: MIT
//! Calls from Rust. `rustc -L DIRECTORY -l inorder ordered.rs`
use std::ffi::c_void;

type Func = extern "C" fn(*mut c_void, u64);

extern "C" {
    fn async_schedule_ordered(func: Func, retire: Func, data: *mut c_void, domain: *mut c_void) -> u64;
    fn async_synchronize_full() -> i32;
}

struct Item {
    number: u64,
    square: u64,
}

extern "C" fn work(data: *mut c_void, _cookie: u64) {
    let item = unsafe { &mut *(data as *mut Item) };
    item.square = item.number * item.number;
}

/// One at a time, in order; the item is freed here.
extern "C" fn show(data: *mut c_void, _cookie: u64) {
    let item = unsafe { Box::from_raw(data as *mut Item) };
    println!("{} squared is {}", item.number, item.square);
}

fn main() {
    for number in 0..5 {
        let data = Box::into_raw(Box::new(Item { number, square: 0 })) as *mut c_void;
        // A null domain is the default one.
        if unsafe { async_schedule_ordered(work, show, data, std::ptr::null_mut()) } == 0 {
            drop(unsafe { Box::from_raw(data as *mut Item) });
            panic!("no storage for a call");
        }
    }
    assert_eq!(unsafe { async_synchronize_full() }, 0);
}
