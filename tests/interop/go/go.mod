module interop-go

go 1.25.0

require github.com/libp2p/go-libp2p v0.51.0
