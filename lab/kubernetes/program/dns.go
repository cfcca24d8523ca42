package main

import (
	"context"
	"net"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const (
	zone = ".svc.cluster.local."
	// In seconds: pods come and go.
	timeToLive = 2
)

// names answers for services; a region has no names outside of the cluster.
type names struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// serveDNS answers A queries for <service>.<namespace>.svc.cluster.local, over UDP and TCP: with the service's address,
// for a headless one with its endpoints'. There is nothing else.
func serveDNS(ctx context.Context, client kubernetes.Interface, address string) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	n := names{factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()}
	factory.Core().V1().Services().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	ended := make(chan error, 2)
	for _, network := range []string{"udp", "tcp"} {
		server := &dns.Server{Addr: address, Net: network, Handler: n}
		go func() { ended <- server.ListenAndServe() }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeDNS answers one query.
func (n names) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	answer := new(dns.Msg)
	answer.SetReply(query)
	answer.Authoritative = true
	if len(query.Question) == 1 {
		question := query.Question[0]
		addresses, known := n.addresses(question.Name)
		if !known {
			answer.Rcode = dns.RcodeNameError
		} else if question.Qtype == dns.TypeA {
			header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: timeToLive}
			for _, address := range addresses {
				answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: net.ParseIP(address)})
			}
		}
	}
	// Who asked may be gone: nothing to do about it.
	_ = w.WriteMsg(answer)
}

func (n names) addresses(name string) ([]string, bool) {
	prefix, ours := strings.CutSuffix(strings.ToLower(name), zone)
	service, namespace, two := strings.Cut(prefix, ".")
	if !ours || !two {
		return nil, false
	}
	found, err := n.services.Services(namespace).Get(service)
	if err != nil {
		return nil, false
	}
	if found.Spec.ClusterIP != corev1.ClusterIPNone {
		return []string{found.Spec.ClusterIP}, true
	}
	slices, err := n.slices.EndpointSlices(namespace).List(labels.Set{discoveryv1.LabelServiceName: service}.AsSelector())
	if err != nil {
		return nil, true
	}
	var addresses []string
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			ready := endpoint.Conditions.Ready
			if found.Spec.PublishNotReadyAddresses || ready == nil || *ready {
				addresses = append(addresses, endpoint.Addresses...)
			}
		}
	}
	return addresses, true
}
