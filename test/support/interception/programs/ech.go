// A TLS client whose hello hides whom it means (encrypted client hello, RFC 9849), behind a public name: `ech ADDRESS:PORT OUTER
// INNER`. Tells how the handshake ended. The server's configuration is made here: whoever does not have its key rejects it.
package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	address, outer, inner := os.Args[1], os.Args[2], os.Args[3]
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		tell("not connected", err)
	}
	connection.SetDeadline(time.Now().Add(8 * time.Second))
	client := tls.Client(connection, &tls.Config{
		ServerName:                          inner,
		MinVersion:                          tls.VersionTLS13,
		EncryptedClientHelloConfigList:      configList(outer),
		EncryptedClientHelloRejectionVerify: func(tls.ConnectionState) error { return nil },
	})
	err = client.Handshake()
	var rejected *tls.ECHRejectionError
	switch {
	case err == nil:
		tell("accepted", nil)
	case errors.As(err, &rejected):
		tell("read", nil)
	default:
		tell("cut", err)
	}
}

func tell(word string, err error) {
	fmt.Println(word)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(0)
}

// ECHConfigList with one ECHConfig: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
func configList(publicName string) []byte {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	public := key.PublicKey().Bytes()
	contents := []byte{7}
	contents = binary.BigEndian.AppendUint16(contents, 0x0020)
	contents = binary.BigEndian.AppendUint16(contents, uint16(len(public)))
	contents = append(contents, public...)
	contents = append(contents, 0, 4, 0, 1, 0, 1)
	contents = append(contents, 64, byte(len(publicName)))
	contents = append(contents, publicName...)
	contents = append(contents, 0, 0)
	config := binary.BigEndian.AppendUint16(nil, 0xfe0d)
	config = binary.BigEndian.AppendUint16(config, uint16(len(contents)))
	config = append(config, contents...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(config))), config...)
}
