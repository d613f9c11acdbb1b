//! The stand-in from outside: everything here is spoken over real HTTP.

mod faults;
mod posting;
mod sending;
mod signing_in;
mod support;
mod views;
