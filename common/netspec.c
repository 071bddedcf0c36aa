/*
 * Copyright (c) 2026 The sandlock authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * Network rules as text: targets, ports, protocols, and the specifications of
 * the command line that have all three.  It knows neither the grammar nor the
 * options, and resolves no name.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static const char	*parse_address(const char *, struct net_rule *);
static const char	*parse_name(const char *, struct net_rule *);
static const char	*parse_bits(const char *, struct net_rule *, int);
static const char	*split_target(const char *, char *, size_t,
			    const char **);
static const char	*parse_port(const char *, size_t, uint16_t *);
static const char	*part_error(const char *, const char *, const char *);

static const char *const proto_names[NET_PROTO_MAX] = {
	[NET_TCP] = "tcp",
	[NET_UDP] = "udp",
	[NET_ICMP] = "icmp"
};

/* Digits and nothing else: 0, or -1. */
static int
parse_digits(const char *s, size_t len, unsigned int max, unsigned int *value)
{
	size_t	 i;

	*value = 0;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]) || *value > max)
			return (-1);
		*value = *value * 10 + (unsigned int)(s[i] - '0');
	}
	return (len == 0 || *value > max ? -1 : 0);
}

static const char *
parse_port(const char *s, size_t len, uint16_t *port)
{
	unsigned int	 value;

	if (parse_digits(s, len, 65535, &value) == -1 || value == 0)
		return ("not a port number from 1 to 65535");
	*port = (uint16_t)value;
	return (NULL);
}

/* One port, a range with '-' or pf's ':', or '*'. */
const char *
policy_parse_ports(const char *s, uint16_t *lo, uint16_t *hi)
{
	const char	*error;
	size_t		 len;

	if (strcmp(s, "*") == 0) {
		*lo = 0;
		*hi = 65535;
		return (NULL);
	}
	len = strcspn(s, "-:");
	if ((error = parse_port(s, len, lo)) != NULL)
		return (error);
	*hi = *lo;
	if (s[len] != '\0') {
		s += len + 1;
		if ((error = parse_port(s, strlen(s), hi)) != NULL)
			return (error);
	}
	return (*hi < *lo ? "the range runs backwards" : NULL);
}

/* An error about a part of a text says which. */
static const char *
part_error(const char *whole, const char *part, const char *error)
{
	static char	 text[NET_NAME_MAX + 256];

	if (error == NULL || strcmp(whole, part) == 0)
		return (error);
	snprintf(text, sizeof(text), "\"%s\": %s", part, error);
	return (text);
}

/*
 * The protocols of a rule that names none: those with ports.  But who blocks a
 * host does not want it to be reached by other means.
 */
static const char *
rule_protos(struct net_rule *rule)
{
	int	 every = rule->port_lo == 0 && rule->port_hi == 65535;

	if (rule->protos == 0)
		rule->protos = rule->block && every &&
		    rule->direction == NET_OUT ? NET_PROTO_ALL :
		    NET_PROTO_PORTS;
	if ((rule->protos & NET_PROTO(NET_ICMP)) == 0)
		return (NULL);
	if (rule->direction == NET_IN)
		return ("icmp has no servers");
	return (every ? NULL : "icmp has no ports");
}

/* The word at s, whose length is len, as a rule at the end of a list. */
static const char *
parse_port_word(const char *whole, const char *s, size_t len,
    const struct net_rule *model, struct net_rules *rules)
{
	struct net_rule	*rule;
	char		*word;
	const char	*error;

	if ((word = strndup(s, len)) == NULL)
		return (strerror(errno));
	if ((rule = malloc(sizeof(*rule))) == NULL) {
		free(word);
		return (strerror(errno));
	}
	*rule = *model;
	TAILQ_INSERT_TAIL(rules, rule, entry);
	error = policy_parse_ports(word, &rule->port_lo, &rule->port_hi);
	if (error == NULL)
		error = rule_protos(rule);
	error = part_error(whole, word, error);
	free(word);
	return (error);
}

static const char *
parse_port_list(const char *whole, const char *s, const struct net_rule *model,
    struct net_rules *rules)
{
	struct net_rules	 new = TAILQ_HEAD_INITIALIZER(new);
	const char		*error;
	size_t			 len;

	do {
		len = strcspn(s, ",");
		if ((error = parse_port_word(whole, s, len, model,
		    &new)) != NULL) {
			net_rules_free(&new);
			return (error);
		}
		s += len;
	} while (*s++ == ',');
	TAILQ_CONCAT(rules, &new, entry);
	return (NULL);
}

const char *
policy_parse_port_list(const char *s, const struct net_rule *model,
    struct net_rules *rules)
{
	return (parse_port_list(s, s, model, rules));
}

static const char *
parse_bits(const char *s, struct net_rule *rule, int mapped)
{
	unsigned int	 bits, max;
	size_t		 i, n;

	max = rule->family == AF_INET && !mapped ? 32 : 128;
	bits = max;
	if (s != NULL && parse_digits(s, strlen(s), max, &bits) == -1)
		return ("bad prefix length");
	if (mapped) {
		if (bits < 96)
			return ("bad prefix length for a mapped address");
		bits -= 96;
	}
	rule->bits = (uint8_t)bits;
	/* Host bits are cleared, so that equal networks look equal. */
	n = rule->family == AF_INET ? 4 : 16;
	for (i = 0; i < n; i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			rule->addr.s6_addr[i] &= (uint8_t)(0xff00U >> bits);
	return (NULL);
}

/* ADDRESS[/BITS]; v4-mapped IPv6 is IPv4, as the kernel has it. */
static const char *
parse_address(const char *s, struct net_rule *rule)
{
	char		 addr[INET6_ADDRSTRLEN];
	const char	*slash;
	size_t		 len;
	int		 mapped = 0;

	slash = strchr(s, '/');
	len = slash != NULL ? (size_t)(slash - s) : strlen(s);
	if (len >= sizeof(addr))
		return ("not an address");
	memcpy(addr, s, len);
	addr[len] = '\0';
	if (slash != NULL)
		slash++;

	rule->target = NET_ADDRESS;
	memset(&rule->addr, 0, sizeof(rule->addr));
	if (inet_pton(AF_INET, addr, &rule->addr) == 1)
		rule->family = AF_INET;
	else if (inet_pton(AF_INET6, addr, &rule->addr) == 1) {
		rule->family = AF_INET6;
		if (IN6_IS_ADDR_V4MAPPED(&rule->addr)) {
			mapped = 1;
			rule->family = AF_INET;
			memmove(&rule->addr.s6_addr[0],
			    &rule->addr.s6_addr[12], 4);
			memset(&rule->addr.s6_addr[4], 0, 12);
		}
	} else
		return ("not an address");
	return (parse_bits(slash, rule, mapped));
}

/*
 * A host name: labels of letters, digits, '-' and '_', the last no number.  An
 * asterisk as the first label stands for one or more of them.
 */
static const char *
parse_name(const char *s, struct net_rule *rule)
{
	size_t	 i, label = 0, len;
	int	 digits = 1;

	len = strlen(s);
	if (len > 0 && s[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(rule->name))
		return ("bad host name");
	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0)
				return ("bad host name");
			label = 0;
			digits = 1;
		} else if (i == 0 && s[0] == '*' && s[1] == '.' && len > 2) {
			label++;
			digits = 0;
		} else if (isalnum((unsigned char)s[i]) || s[i] == '_' ||
		    (s[i] == '-' && label > 0)) {
			if (++label > 63)
				return ("bad host name");
			digits &= isdigit((unsigned char)s[i]) != 0;
		} else
			return (s[i] == '*' ? "bad wildcard, not of the form "
			    "*.example.com" : "bad host name or address");
		rule->name[i] = (char)tolower((unsigned char)s[i]);
	}
	/* "1.2.3" and "300.1.1.1" are addresses to some and names to none. */
	if (label == 0 || digits)
		return ("bad address");
	rule->name[len] = '\0';
	rule->target = NET_NAME;
	return (NULL);
}

const char *
policy_parse_target(const char *s, struct net_rule *rule)
{
	memset(rule->name, 0, sizeof(rule->name));
	memset(&rule->addr, 0, sizeof(rule->addr));
	rule->family = AF_UNSPEC;
	rule->bits = 0;
	rule->target = NET_ANY;
	if (*s == '\0' || strcmp(s, "*") == 0 || strcmp(s, "any") == 0)
		return (NULL);
	if (strchr(s, ':') != NULL || strchr(s, '/') != NULL ||
	    parse_address(s, rule) == NULL)
		return (parse_address(s, rule));
	return (parse_name(s, rule));
}

/*
 * Split "target[:ports]" where target may be an IPv6 address in brackets, which
 * it needs: "::1:22" is an address too.  "[net]/bits" is "[net/bits]".
 */
static const char *
split_target(const char *s, char *target, size_t size, const char **ports)
{
	const char	*end, *rest;
	size_t		 len;

	if (*s == '[') {
		if ((end = strchr(++s, ']')) == NULL)
			return ("']' missing");
		rest = end + 1;
		len = strcspn(rest, ":");
		if ((size_t)(end - s) + len >= size)
			return ("bad address");
		snprintf(target, size, "%.*s%.*s", (int)(end - s), s,
		    (int)len, rest);
		if (len > 0 && *rest != '/')
			return ("unexpected text behind ']'");
		if (strchr(target, ':') == NULL)
			return ("not an IPv6 address in brackets");
		rest += len;
	} else {
		rest = s + strcspn(s, ":");
		if (*rest == ':' && strchr(rest + 1, ':') != NULL)
			return ("an IPv6 address goes in brackets");
		if ((size_t)(rest - s) >= size)
			return ("bad host name");
		snprintf(target, size, "%.*s", (int)(rest - s), s);
	}
	*ports = *rest == ':' ? rest + 1 : "*";
	return (NULL);
}

const char *
policy_parse_proto(const char *s, unsigned int *protos)
{
	enum net_proto	 proto;

	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		if (strcmp(s, proto_names[proto]) == 0) {
			*protos |= NET_PROTO(proto);
			return (NULL);
		}
	return ("unknown protocol, not one of tcp, udp, icmp");
}

const char *
policy_proto_name(enum net_proto proto)
{
	return (proto_names[proto]);
}

/* Take "PROTOCOL://" off the front, if it is there. */
static const char *
parse_scheme(const char **s, struct net_rule *rule)
{
	const char	*end, *error;
	char		*name;

	if ((end = strstr(*s, "://")) == NULL)
		return (NULL);
	if ((name = strndup(*s, (size_t)(end - *s))) == NULL)
		return (strerror(errno));
	rule->protos = 0;
	error = part_error(*s, name, policy_parse_proto(name, &rule->protos));
	free(name);
	*s = end + 3;
	return (error);
}

const char *
policy_parse_net(const char *whole, const struct net_rule *model,
    struct net_rules *rules)
{
	struct net_rule	 rule = *model;
	char		 target[NET_NAME_MAX + 8];
	const char	*error, *ports, *s = whole;

	if (*s == '\0')
		return ("empty rule");
	if ((error = parse_scheme(&s, &rule)) != NULL ||
	    (error = split_target(s, target, sizeof(target), &ports)) != NULL)
		return (error);
	error = policy_parse_target(target, &rule);
	if (error != NULL)
		return (part_error(whole, target, error));
	return (parse_port_list(whole, ports, &rule, rules));
}

const char *
policy_parse_bind(const char *whole, const struct net_rule *model,
    struct net_rules *rules)
{
	struct net_rule	 rule = *model;
	const char	*error, *s = whole;

	rule.direction = NET_IN;
	rule.target = NET_ANY;
	if ((error = parse_scheme(&s, &rule)) != NULL)
		return (error);
	return (parse_port_list(whole, s, &rule, rules));
}

void
policy_target_string(const struct net_rule *rule, char *buf, size_t size)
{
	char	 addr[INET6_ADDRSTRLEN];
	int	 max;

	switch (rule->target) {
	case NET_ANY:
		strlcpy(buf, "any", size);
		break;
	case NET_NAME:
		strlcpy(buf, rule->name, size);
		break;
	case NET_ADDRESS:
		max = rule->family == AF_INET ? 32 : 128;
		if (inet_ntop(rule->family, &rule->addr, addr,
		    sizeof(addr)) == NULL)
			strlcpy(addr, "?", sizeof(addr));
		if (rule->bits == max)
			strlcpy(buf, addr, size);
		else
			snprintf(buf, size, "%s/%d", addr, rule->bits);
		break;
	}
}
