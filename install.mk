# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Installing and taking it away again. Both go by the lists below: what
# "install" makes, "uninstall" removes, but for the user.

SYSTEM_USER := vcrypt
PAGES := $(notdir $(wildcard Documentation/*.8))
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man8
# systemd reads these below /usr and /usr/local.
SYSUSERS = $(DESTDIR)$(PREFIX)/lib/sysusers.d/vcrypt.conf
MODULES = $(DESTDIR)$(PREFIX)/lib/modules-load.d/vcrypt.conf
# Where bash-completion, fish and zsh look.
SHARE = $(DESTDIR)$(PREFIX)/share
BASH_COMPLETION = $(SHARE)/bash-completion/completions/vcrypt
FISH_COMPLETION = $(SHARE)/fish/vendor_completions.d/vcrypt.fish
ZSH_COMPLETION = $(SHARE)/zsh/site-functions/_vcrypt

COMPLETIONS = $(BASH_COMPLETION) $(FISH_COMPLETION) $(ZSH_COMPLETION)
INSTALLED = $(BINDIR)/vcrypt $(PAGES:%=$(MANDIR)/%) $(SYSUSERS) $(MODULES) \
	$(COMPLETIONS)

.PHONY: install install-files install-user uninstall

install: install-files $(if $(DESTDIR),,install-user)

install-files: $(B)/vcrypt
	install -D -m 755 $(B)/vcrypt '$(BINDIR)/vcrypt'
	install -D -m 644 -t '$(MANDIR)' $(PAGES:%=Documentation/%)
	install -d '$(dir $(SYSUSERS))' '$(dir $(MODULES))'
	printf 'u %s - "vcrypt data path" - -\n' $(SYSTEM_USER) >'$(SYSUSERS)'
	printf '%s\n' vduse virtio_vdpa virtio_blk >'$(MODULES)'
	install -d $(patsubst %,'%',$(dir $(COMPLETIONS)))
	$(B)/vcrypt completion bash >'$(BASH_COMPLETION)'
	$(B)/vcrypt completion fish >'$(FISH_COMPLETION)'
	$(B)/vcrypt completion zsh >'$(ZSH_COMPLETION)'
	chmod 644 '$(SYSUSERS)' '$(MODULES)' $(patsubst %,'%',$(COMPLETIONS))

# Whom the worker runs as when the image belongs to root.
install-user: install-files
	@if getent passwd $(SYSTEM_USER) >/dev/null; then \
		:; \
	elif [ "$$(id -u)" -ne 0 ]; then \
		echo "not root: the user $(SYSTEM_USER) is not made"; \
	else \
		echo "making the system user $(SYSTEM_USER)"; \
		useradd --system --user-group --no-create-home \
			--home-dir / --shell /usr/sbin/nologin \
			--comment "vcrypt data path" $(SYSTEM_USER); \
	fi

uninstall:
	rm -f $(patsubst %,'%',$(INSTALLED))
