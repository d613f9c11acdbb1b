//! Tests of the stand-in from outside, over real HTTP.

mod faults;
mod github;
mod keeping;
mod posting;
mod sending;
mod signing_in;
mod support;
mod views;
