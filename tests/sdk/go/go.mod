module story

go 1.19

require tieline v0.0.0

replace tieline => ../../../target/sdk/go
