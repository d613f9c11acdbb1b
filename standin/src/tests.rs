//! The stand-in from outside: everything here is spoken over real HTTP.

mod faults;
mod github;
mod posting;
mod sending;
mod signing_in;
mod support;
mod views;
