package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	// Who signs the tokens of service accounts.
	issuer = "https://kubernetes.default.svc"
	// The lab's keys are for one machine and a short life.
	validity = 365 * 24 * time.Hour
)

// identity is the region's keys, as files; `tokens` and `kubeconfig` are those of the user `admin`.
type identity struct {
	authority, server, admin pair
	serviceAccounts          string
	tokens, kubeconfig       string
}

// pair is a certificate and its key, as files.
type pair struct{ cert, key string }

// ensureIdentity makes the region's keys at the first start. The kubeconfig is written last: it tells that all are there.
func ensureIdentity(o *options) (*identity, error) {
	at := func(name string) string { return filepath.Join(o.dir, name) }
	of := func(name string) pair { return pair{at(name + ".crt"), at(name + ".key")} }
	i := &identity{
		authority: of("ca"), server: of("server"), admin: of("admin"),
		serviceAccounts: at("service-accounts.key"), tokens: at("tokens.csv"), kubeconfig: at("kubeconfig"),
	}
	if _, err := os.Stat(i.kubeconfig); err == nil {
		return i, nil
	}
	authority, err := newAuthority(i.authority)
	if err != nil {
		return nil, err
	}
	first, err := firstServiceAddress(o.serviceCIDR)
	if err != nil {
		return nil, err
	}
	if err := authority.issue(i.server, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(o.bind), first},
	}); err != nil {
		return nil, err
	}
	if err := authority.issue(i.admin, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return nil, err
	}
	if _, err := newKey(i.serviceAccounts); err != nil {
		return nil, err
	}
	random := make([]byte, 24)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	token := hex.EncodeToString(random)
	if err := os.WriteFile(i.tokens, []byte(token+",admin,admin,\"system:masters\"\n"), 0o600); err != nil {
		return nil, err
	}
	server := "https://" + net.JoinHostPort(o.bind, fmt.Sprint(o.port))
	return i, writeKubeconfig(i.kubeconfig, server, authority.pem, token)
}

func writeKubeconfig(path, server string, authority []byte, token string) error {
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
  - name: region
    cluster:
      server: %s
      certificate-authority-data: %s
users:
  - name: admin
    user:
      token: %s
contexts:
  - name: region
    context: { cluster: region, user: admin }
current-context: region
`, server, base64.StdEncoding.EncodeToString(authority), token)
	half := path + ".new"
	if err := os.WriteFile(half, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(half, path)
}

// authority signs the region's certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         []byte
	serial      int64
}

func newAuthority(files pair) (*authority, error) {
	key, err := newKey(files.key)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key, serial: 1}
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "argus-lab"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a.pem, err = a.sign(files.cert, a.certificate, key.Public())
	return a, err
}

// issue makes a key and a certificate for it.
func (a *authority) issue(files pair, certificate *x509.Certificate) error {
	key, err := newKey(files.key)
	if err != nil {
		return err
	}
	a.serial++
	certificate.SerialNumber = big.NewInt(a.serial)
	certificate.KeyUsage = x509.KeyUsageDigitalSignature
	_, err = a.sign(files.cert, certificate, key.Public())
	return err
}

func (a *authority) sign(path string, certificate *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	now := time.Now()
	// Some room for a clock that is corrected.
	certificate.NotBefore, certificate.NotAfter = now.Add(-time.Hour), now.Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, certificate, a.certificate, public, a.key)
	if err != nil {
		return nil, err
	}
	return writePEM(path, "CERTIFICATE", der)
}

func newKey(path string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	_, err = writePEM(path, "EC PRIVATE KEY", der)
	return key, err
}

func writePEM(path, kind string, der []byte) ([]byte, error) {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return text, os.WriteFile(path, text, 0o600)
}

// firstServiceAddress is that of the service `kubernetes`.
func firstServiceAddress(cidr string) (net.IP, error) {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil || network.IP.To4() == nil {
		return nil, fmt.Errorf("--service-cidr: %q is no range of IPv4 addresses", cidr)
	}
	address := append(net.IP{}, network.IP.To4()...)
	address[3]++
	return address, nil
}
